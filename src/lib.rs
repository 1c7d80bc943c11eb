//! Coordinates many coding agents through the git repository they share.
//!
//! A request travels `cli -> ops`, and `ops` alone joins the pure rules of
//! `model` with `store` (records) and `git` (objects and refs). Code map and
//! invariants: `docs/architecture.md`.

pub mod boundary;
pub mod cli;
pub mod config;
pub mod env;
pub mod exec;
pub mod gate;
pub mod git;
pub mod model;
pub mod ops;
pub mod render;
pub mod store;
pub mod syntax;
pub mod text;
