//! The counting: which bytes are words, which range owns them, how often they occur. No S3, no HTTP, no async.

mod classify;
pub mod cuts;
mod key;
mod key_table;
pub mod lines;
mod long;
pub mod merge;
pub mod read;
mod short;

pub mod sorted;
pub mod summary;
pub mod table;
pub mod tokens;
pub mod write;

#[cfg(test)]
mod properties;

/// The version of the counting rules. Outputs made under different rules must not be added up.
pub const RULES: u32 = 1;

/// The error of an input that can't be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    #[error("the number of words does not fit 64 bits")]
    Overflow,
    #[error("one word is longer than {limit} bytes, so this is hardly text")]
    WordTooLong { limit: usize },
    #[error(
        "its different words need more than the {limit} bytes of memory that one request may take here (MAX_TABLE_BYTES); use more, smaller chunks"
    )]
    TableTooLarge { limit: u64 },
}
