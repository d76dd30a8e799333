//! One session: the first words, the streams, and the end that comes by itself if the client brings none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use indicatif::BinaryBytes;
use muxado_tokio::{ErrorCode, Session, Stream};
use muxado_typed::{Router, Typed, TypedStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::raw::{Invitation, Raw};
use super::{GRACE, Limits, serve};
use crate::channel::Channel;
use crate::log;
use crate::protocol::{self, Answer, Hello, Kind, Terms, VERSION, Version};
use crate::settings::Settings;

/// How long a client may take to say what it is.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What all sessions have in common.
pub(super) struct Host {
    pub(super) limits: Limits,
    pub(super) settings: Settings,
    pub(super) raw: Option<Arc<Raw>>,
    pub(super) stop: CancellationToken,
}

impl Host {
    /// Serves a client until its session ends.
    pub(super) async fn attend(&self, session: Session, peer: SocketAddr) {
        log(format_args!("{peer}: here"));
        let typed = Typed::new(session.clone());
        let greeted = tokio::select! {
            greeted = timeout(PATIENCE, self.greet(&typed)) => greeted.unwrap_or_else(|_| Err(anyhow!("it says nothing"))),
            () = self.stop.cancelled() => Err(anyhow!("the server is about to end")),
        };
        // It is over when the session is.
        let _invitation = match greeted {
            Ok(invitation) => invitation,
            Err(error) => {
                log(format_args!("{peer}: turned away: {error:#}"));
                session.close(ErrorCode::PROTOCOL_ERROR, &error.to_string()).await;
                return;
            }
        };
        let router = [Kind::Upload, Kind::Download, Kind::Echo].into_iter().fold(
            Router::new(typed),
            |router, kind| {
                router.handle(kind, self.limits.streams, move |stream| serve_one(kind, stream, peer))
            },
        );
        let serving = async {
            router.run().await;
        };
        let end = tokio::select! {
            () = serving => session.closed().await,
            () = tokio::time::sleep(Duration::from_secs(self.limits.seconds)) => {
                let text = format!("a session may last {} s here", self.limits.seconds);
                session.close(ErrorCode::ENHANCE_YOUR_CALM, &text).await
            }
            () = self.stop.cancelled() => session.drain(GRACE).await,
        };
        let stats = session.stats();
        let (received, sent) = (BinaryBytes(stats.bytes_received), BinaryBytes(stats.bytes_sent));
        let streams = stats.accepted;
        log(format_args!("{peer}: gone, {received} received, {sent} sent, {streams} streams: {end}"));
    }

    /// The first stream, on which both say what they are.
    async fn greet(&self, typed: &Typed<Session>) -> anyhow::Result<Option<Invitation>> {
        let stream = typed.accept().await?;
        if Kind::of(stream.stream_type().get()) != Some(Kind::Hello) {
            bail!("its first stream is of type {}", stream.stream_type());
        }
        let Channel { mut send, mut recv } = stream.into_inner().into();
        let words = protocol::hear(&mut recv).await?;
        let Version { version } =
            protocol::understand(&words).context("it says something else than hello")?;
        let answer = |refused: Option<String>, terms| Answer { version: VERSION, refused, terms };
        let refusal = match protocol::understand::<Hello>(&words) {
            Some(Hello { version: VERSION, window }) if window == self.settings.window => None,
            Some(Hello { version: VERSION, window }) => Some(format!(
                "the client has a window of {window} bytes, the server one of {}",
                self.settings.window
            )),
            _ => Some(format!(
                "the client speaks version {version} of the protocol of muxado-perf, the server {VERSION}"
            )),
        };
        if let Some(refusal) = refusal {
            protocol::say(&mut send, &answer(Some(refusal.clone()), None)).await?;
            bail!(refusal);
        }
        let invitation = self.raw.as_ref().map(Raw::invite).transpose()?;
        let terms = Terms {
            seconds: self.limits.seconds,
            streams: self.limits.streams,
            settings: self.settings,
            raw: invitation.as_ref().map(Invitation::terms).transpose()?,
        };
        protocol::say(&mut send, &answer(None, Some(terms))).await?;
        Ok(invitation)
    }
}

async fn serve_one(kind: Kind, stream: TypedStream<Stream>, peer: SocketAddr) {
    if let Err(error) = serve::serve(kind, stream.into_inner().into()).await {
        // A client that is gone takes all of its streams with it: that is told once, with the session.
        if error.kind() == std::io::ErrorKind::InvalidData {
            log(format_args!("{peer}: {error}"));
        }
    }
}
