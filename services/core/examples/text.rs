//! Writes a text for measurements to the standard output: `text` or `text WORDS VOCABULARY`.
//!
//! Without arguments it is a text of about 180 MB with 34,000,000 words, about 1,530,000 different ones.

use std::io::Write as _;
use std::process::ExitCode;

#[path = "../benches/texts/mod.rs"]
mod texts;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().flat_map(|number| number.parse()).collect();
    let text = match (arguments.len(), numbers[..].as_ref()) {
        (0, _) => texts::Zipf::large(),
        (2, &[words, vocabulary]) => texts::Zipf::new(words, vocabulary),
        _ => {
            eprintln!("usage: text [WORDS VOCABULARY], both whole numbers");
            return ExitCode::from(2);
        }
    };
    let mut out = std::io::stdout().lock();
    for piece in text {
        if let Err(e) = out.write_all(&piece) {
            eprintln!("can't write the text: {e}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
