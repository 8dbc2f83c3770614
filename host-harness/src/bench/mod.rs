//! Measuring parts of the host, for people who choose settings or change code.

pub mod storage;
