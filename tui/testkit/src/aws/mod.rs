//! AWS, as far as moto imitates it.

pub mod deployed;
pub mod moto;
pub mod tools;
