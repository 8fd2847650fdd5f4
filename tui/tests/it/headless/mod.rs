//! The console without its dashboard, end to end.
