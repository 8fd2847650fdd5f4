//! Writes a table of counts as JSON, an entry at a time, in pieces.

/// The size from which a piece is handed out, in bytes.
const PIECE: usize = 64 << 10;

/// Writes entries that come in byte order of their words, in the layout of
/// [`Counts::to_json`](super::table::Counts::to_json).
///
/// It holds one piece, whatever the size of the table.
#[derive(Debug)]
pub struct TableWriter {
    piece: Vec<u8>,
    is_empty: bool,
}

impl Default for TableWriter {
    fn default() -> Self {
        Self {
            piece: vec![b'{'],
            is_empty: true,
        }
    }
}

impl TableWriter {
    /// Writes an entry. The words must come in byte order, none of them twice.
    #[inline]
    pub fn push(&mut self, word: &str, n: u64) {
        self.piece
            .extend_from_slice(if self.is_empty { b"\n  " } else { b",\n  " });
        self.is_empty = false;
        push_json_string(&mut self.piece, word);
        self.piece.extend_from_slice(b": ");
        let mut digits = itoa::Buffer::new();
        self.piece.extend_from_slice(digits.format(n).as_bytes());
    }

    /// Returns the bytes since the last piece, once they are some 64 KiB.
    #[inline]
    pub fn piece(&mut self) -> Option<Vec<u8>> {
        if self.piece.len() < PIECE {
            return None;
        }
        let next = Vec::with_capacity(PIECE + PIECE / 4);
        Some(std::mem::replace(&mut self.piece, next))
    }

    /// Ends the table; returns its last piece.
    pub fn finish(mut self) -> Vec<u8> {
        let end: &[u8] = if self.is_empty { b"}" } else { b"\n}" };
        self.piece.extend_from_slice(end);
        self.piece
    }
}

fn push_json_string(json: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    } else {
        json.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_table() {
        let (mut writer, mut written, mut pieces) = (TableWriter::default(), Vec::new(), 0);
        let mut expected = "{".to_owned();
        for n in 10_000..30_000 {
            writer.push(&n.to_string(), n);
            let comma = if n > 10_000 { "," } else { "" };
            expected.extend([comma, &format!("\n  \"{n}\": {n}")]);
            if let Some(piece) = writer.piece() {
                pieces += 1;
                written.extend(piece);
            }
        }
        written.extend(writer.finish());
        assert_eq!(written, (expected + "\n}").into_bytes());
        assert!(pieces > 3);
        assert_eq!(TableWriter::default().finish(), b"{}");
    }
}
