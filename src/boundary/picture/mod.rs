//! The imports of a code base at a glance: joined by parts, the edges that
//! close cycles found, and everything given a place on paper.

pub mod cycles;
pub mod group;
pub mod layout;
