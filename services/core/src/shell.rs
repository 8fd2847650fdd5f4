//! Quotes values in commands that are printed to be copied into a shell.

use std::borrow::Cow;

use shlex::Quoter;

/// Quotes a value if a shell would not read it as a single word.
pub fn quoted(value: &str) -> Cow<'_, str> {
    // A NUL is the only thing that can't be quoted; no argument of a command contains one.
    let quoter = Quoter::new().allow_nul(true);
    quoter.quote(value).unwrap_or(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for plain in ["http://10.0.0.7:8080/", "eu-west-1", "a_b/c.txt"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted(""), "''");
        for value in ["it's $HOME", "a;b", "`c`", "*", "#x", "\"", "ä é"] {
            let command = format!("mrdeck --profile {}", quoted(value));
            let words = shlex::split(&command).unwrap_or_default();
            assert_eq!(words, ["mrdeck", "--profile", value]);
        }
    }
}
