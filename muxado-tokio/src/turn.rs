//! Turns among the tasks of a runtime: what is always ready gives way now and then, as tokio's own sockets do, or else the
//! time limits of its task would never be looked at.

use std::task::{Context, Poll, ready};

use tokio::task::coop::poll_proceed;

/// Takes `step`, if the task may still take one before it is others' turn. Only a step that does not wait counts.
pub(crate) fn in_turn<T>(cx: &mut Context<'_>, step: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let turn = ready!(poll_proceed(cx));
    let taken = step(cx);
    if taken.is_ready() {
        turn.made_progress();
    }
    taken
}
