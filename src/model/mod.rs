//! The rules, pure: what each record is, which events change it and how.
//!
//! A state is the fold of its events, so that one piece of code serves the
//! writer, the reader and (over several histories) a merge. Nothing here
//! reads a clock, a ref or a terminal: time and identity arrive in a
//! [`stamp::Stamp`].

pub mod agent;
pub mod board;
pub mod claiming;
pub mod entry;
pub mod event;
pub mod graph;
pub mod lease;
pub mod limits;
pub mod merge;
pub mod names;
pub mod ready;
pub mod refusal;
pub mod stamp;
pub mod task;
