//! The login: the client's first stream says the secret, before the server opens any, and the server answers. Without a
//! secret it says nothing and is answered all the same: only so does a client over TLS learn that its certificate will do.

use std::time::Duration;

use anyhow::{Context, bail};
use muxado_tokio::{ErrorCode, Session, Stream};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How long a client may take to log in.
const LIMIT: Duration = Duration::from_secs(5);

/// The longest secret that there may be, in bytes.
pub(crate) const MAX_SECRET: usize = 4096;

/// What a server says that has let a client in.
const WELCOME: &[u8] = b"welcome";

/// The code of a session that ends because of a wrong login. The number is ours.
const NOT_INVITED: ErrorCode = ErrorCode::new(401);

/// Says the secret to the server, and waits to be let in.
pub(crate) async fn log_in(session: &Session, secret: &[u8]) -> anyhow::Result<()> {
    let asking = async {
        let mut stream = session.open().await?;
        stream.write_all(secret).await?;
        stream.shutdown().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(LIMIT, asking).await.context("the server does not answer the login")?;
    if answer.context("the server does not let us in")? != WELCOME {
        bail!("the server answers the login with something else");
    }
    Ok(())
}

/// Waits for the secret, and ends the session of a client that does not know it.
pub(crate) async fn admit(session: &Session, secret: &[u8]) -> anyhow::Result<()> {
    let Ok(said) = timeout(LIMIT, listen(session)).await else {
        session.close(NOT_INVITED, "log in first").await;
        bail!("no login");
    };
    let (mut stream, said) = said?;
    // Of digests it may show how much is equal: nothing follows from that.
    if Sha256::digest(&said) != Sha256::digest(secret) {
        let why = if said.is_empty() { "no secret was given" } else { "wrong secret" };
        session.close(NOT_INVITED, why).await;
        bail!(why);
    }
    stream.write_all(WELCOME).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn listen(session: &Session) -> anyhow::Result<(Stream, Vec<u8>)> {
    let mut stream = session.accept().await?;
    let mut said = Vec::new();
    // One byte more, so that what is longer than any secret is none.
    (&mut stream).take(MAX_SECRET as u64 + 1).read_to_end(&mut said).await?;
    Ok((stream, said))
}
