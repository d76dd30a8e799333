//! A subscriber that writes down what it is told.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

/// What was told so far. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    /// Open and closed, by number, in order.
    spans: BTreeMap<u64, Span>,
    closed: Vec<Span>,
    events: Vec<Told>,
}

#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    /// ` name=value` for each field.
    pub(crate) fields: String,
    pub(crate) parent: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) target: String,
    pub(crate) level: Level,
    pub(crate) fields: String,
    pub(crate) parent: Option<&'static str>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Heard {
    /// Does something while everything up to `level` is heard. One at a time: what any subscriber wants is kept for the
    /// whole process, and changes when one comes or goes.
    pub(crate) fn while_doing<T>(&self, level: LevelFilter, act: impl FnOnce() -> T) -> T {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::subscriber::with_default(Registry::default().with(self.clone().with_filter(level)), act)
    }

    pub(crate) fn events(&self) -> Vec<Told> {
        self.0.lock().unwrap().events.clone()
    }

    /// The spans that have closed, in that order.
    pub(crate) fn closed(&self) -> Vec<Span> {
        self.0.lock().unwrap().closed.clone()
    }

    pub(crate) fn open(&self) -> Vec<Span> {
        self.0.lock().unwrap().spans.values().cloned().collect()
    }

    /// The loudest of everything.
    pub(crate) fn loudest(&self) -> Option<Level> {
        let events = self.events().into_iter().map(|event| event.level);
        let spans = self.open().into_iter().chain(self.closed()).map(|span| span.level);
        // The louder, the less.
        events.chain(spans).min()
    }
}

impl<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Heard {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let meta = attributes.metadata();
        let parent = cx.span(id).and_then(|span| span.parent()).map(|span| span.name());
        let span = Span { name: meta.name(), level: *meta.level(), fields: fields.0, parent };
        self.0.lock().unwrap().spans.insert(id.into_u64(), span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _cx: Context<'_, S>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.0.lock().unwrap().spans.get_mut(&id.into_u64()).unwrap().fields.push_str(&fields.0);
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let meta = event.metadata();
        let parent = cx.event_span(event).map(|span| span.name());
        let told = Told { target: meta.target().into(), level: *meta.level(), fields: fields.0, parent };
        self.0.lock().unwrap().events.push(told);
    }

    fn on_close(&self, id: Id, _cx: Context<'_, S>) {
        let mut notes = self.0.lock().unwrap();
        let span = notes.spans.remove(&id.into_u64()).unwrap();
        notes.closed.push(span);
    }
}
