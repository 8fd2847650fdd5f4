//! The chain of causes behind an error, as text.

use std::error::Error;

/// Returns the causes of an error, joined; leaves out its own text, which often only names the layer.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Many errors repeat their cause in their own text.
        if !texts.iter().any(|seen| seen.contains(&text)) {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() {
        error.to_string()
    } else {
        texts.join(": ")
    }
}

/// Returns the innermost cause; the layers above it often only repeat the address.
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let innermost = std::iter::successors(Some(error), |cause| (*cause).source()).last();
    innermost.unwrap_or(error).to_string()
}
