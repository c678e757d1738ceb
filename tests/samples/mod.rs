//! Helpers that several test programs share.
#![allow(dead_code, reason = "each test program uses some of these")]

pub mod altered;
pub mod data_sets;
pub mod program;
pub mod resident;
pub mod small_model;
pub mod small_run;
pub mod trials;
pub mod witness;
pub mod wrong_op;
