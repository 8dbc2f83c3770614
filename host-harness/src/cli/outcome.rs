//! How a command ends.

/// What ends the program before its time, as its user is told.
pub(super) type Outcome = Result<(), String>;
