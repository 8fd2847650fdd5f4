//! What a run keeps in S3 beside its input, so that another console can carry it on: its manifest, who works on it,
//! its outputs, its success record.

pub(crate) mod lease;
pub(crate) mod manifest;
pub(crate) mod objects;
pub(crate) mod outputs;
pub(crate) mod resume;
pub(crate) mod success;
