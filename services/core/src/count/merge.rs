//! Adds up any number of sorted tables in one pass, in memory for one entry of each.

use super::CountError;

/// A table that is read an entry at a time, in byte order of its words, none of them twice.
pub trait Source {
    type Error;

    /// Moves to the next entry; returns false behind the last one.
    ///
    /// # Errors
    ///
    /// Returns an error if the table can't be read.
    fn advance(&mut self) -> Result<bool, Self::Error>;
    /// Returns the current word. It is UTF-8.
    fn word(&self) -> &[u8];
    /// Returns the current count, which is not 0.
    fn count(&self) -> u64;
}

/// The number of words of a merged table, repetitions included, and of distinct ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub words: u64,
    pub unique: u64,
}

/// Adds the tables up, and hands each word out once, with the sum of its counts, in byte order.
///
/// # Errors
///
/// Returns the first error of a table and of `take`, and [`CountError::Overflow`] if the sum of all counts exceeds 64
/// bits.
pub fn merge<S: Source>(
    sources: &mut [S],
    mut take: impl FnMut(&[u8], u64) -> Result<(), S::Error>,
) -> Result<Totals, S::Error>
where
    S::Error: From<CountError>,
{
    let mut totals = Totals::default();
    let mut tree = Tree::of(sources)?;
    let mut word = Vec::new();
    while let Some(first) = tree.winner() {
        word.clear();
        word.extend_from_slice(sources[first].word());
        let mut sum = 0_u64;
        let mut next = Some(first);
        // The smallest word of all, then the same word wherever else it is.
        while let Some(index) = next {
            let count = sources[index].count();
            // The total is never smaller than any one sum, so this one check covers both.
            totals.words = totals
                .words
                .checked_add(count)
                .ok_or(CountError::Overflow)?;
            sum += count;
            tree.advance(sources, index)?;
            next = tree.winner().filter(|index| sources[*index].word() == word);
        }
        totals.unique += 1;
        take(&word, sum)?;
    }
    Ok(totals)
}

/// A tournament between the sources: the winner has the smallest word.
///
/// A loser tree: each inner node has the source that lost there, so that one path from a leaf to the root finds the next
/// winner, with one comparison per level (D. E. Knuth, The Art of Computer Programming, volume 3, section 5.4.1).
struct Tree {
    /// The losers at the inner nodes 1 and up; the winner is at 0.
    nodes: Vec<usize>,
    /// The beginning of each source's word as a number, which decides most comparisons; `None` behind the last word.
    heads: Vec<Option<u64>>,
}

impl Tree {
    fn of<S: Source>(sources: &mut [S]) -> Result<Self, S::Error> {
        let heads: Result<_, _> = sources.iter_mut().map(head).collect();
        let mut tree = Self {
            nodes: vec![0; sources.len()],
            heads: heads?,
        };
        if !sources.is_empty() {
            tree.nodes[0] = tree.play(sources, 1);
        }
        Ok(tree)
    }

    /// Plays the matches at a node and below; returns the winner.
    fn play<S: Source>(&mut self, sources: &[S], node: usize) -> usize {
        let leaves = sources.len();
        if node >= leaves {
            return node - leaves;
        }
        let left = self.play(sources, 2 * node);
        let right = self.play(sources, 2 * node + 1);
        let (winner, loser) = if self.is_before(sources, left, right) {
            (left, right)
        } else {
            (right, left)
        };
        self.nodes[node] = loser;
        winner
    }

    /// Returns the source with the smallest word, unless all are at their ends.
    fn winner(&self) -> Option<usize> {
        let winner = *self.nodes.first()?;
        self.heads[winner].map(|_| winner)
    }

    /// Moves the winner to its next entry, and plays its matches again.
    fn advance<S: Source>(&mut self, sources: &mut [S], winner: usize) -> Result<(), S::Error> {
        self.heads[winner] = head(&mut sources[winner])?;
        let mut winner = winner;
        let mut node = parent(winner + sources.len());
        while node > 0 {
            if self.is_before(sources, self.nodes[node], winner) {
                std::mem::swap(&mut self.nodes[node], &mut winner);
            }
            node = parent(node);
        }
        self.nodes[0] = winner;
        Ok(())
    }

    fn is_before<S: Source>(&self, sources: &[S], a: usize, b: usize) -> bool {
        match (self.heads[a], self.heads[b]) {
            (Some(head_a), Some(head_b)) if head_a == head_b => {
                sources[a].word() < sources[b].word()
            }
            (Some(head_a), Some(head_b)) => head_a < head_b,
            (first, _) => first.is_some(),
        }
    }
}

fn parent(node: usize) -> usize {
    node / 2
}

/// Moves to the next entry; returns the first eight bytes of its word as a number in their order.
fn head<S: Source>(source: &mut S) -> Result<Option<u64>, S::Error> {
    if !source.advance()? {
        return Ok(None);
    }
    let word = source.word();
    let mut bytes = [0; 8];
    let length = word.len().min(8);
    bytes[..length].copy_from_slice(&word[..length]);
    Ok(Some(u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::super::table::Counts;
    use super::*;

    /// A table that is there.
    struct Sorted(std::vec::IntoIter<(String, u64)>, String, u64);

    impl Sorted {
        fn of(counts: &Counts) -> Self {
            let pairs = counts.sorted().into_iter();
            let pairs: Vec<_> = pairs.map(|(word, n)| (word.to_owned(), n)).collect();
            Self(pairs.into_iter(), String::new(), 0)
        }
    }

    impl Source for Sorted {
        type Error = CountError;

        fn advance(&mut self) -> Result<bool, CountError> {
            let next = self.0.next();
            let has_next = next.is_some();
            (self.1, self.2) = next.unwrap_or_default();
            Ok(has_next)
        }

        fn word(&self) -> &[u8] {
            self.1.as_bytes()
        }

        fn count(&self) -> u64 {
            self.2
        }
    }

    fn merged(tables: &[Counts]) -> Result<(Vec<(String, u64)>, Totals), CountError> {
        let mut sources: Vec<_> = tables.iter().map(Sorted::of).collect();
        let mut pairs = Vec::new();
        let totals = merge(&mut sources, |word, n| {
            pairs.push((String::from_utf8(word.to_vec()).unwrap(), n));
            Ok(())
        })?;
        Ok((pairs, totals))
    }

    fn table(pairs: &[(&str, u64)]) -> Counts {
        let mut counts = Counts::new();
        for (word, n) in pairs {
            counts.add(word, *n).unwrap();
        }
        counts
    }

    #[test]
    fn nothing_and_nothing_is_nothing() {
        let none = (Vec::new(), Totals::default());
        assert_eq!(merged(&[]).unwrap(), none);
        assert_eq!(merged(&[Counts::new(), Counts::new()]).unwrap(), none);
    }

    #[test]
    fn a_zero_byte_is_not_the_end_of_a_word() {
        let tables = [table(&[("a", 1)]), table(&[("a\0", 2), ("a", 4)])];
        let expected = vec![("a".to_owned(), 5), ("a\0".to_owned(), 2)];
        let totals = Totals {
            words: 7,
            unique: 2,
        };
        assert_eq!(merged(&tables).unwrap(), (expected, totals));
    }

    #[test]
    fn a_total_beyond_64_bits_is_refused() {
        let tables = [table(&[("a", u64::MAX)]), table(&[("b", 1)])];
        assert_eq!(merged(&tables), Err(CountError::Overflow));
        let tables = [table(&[("a", u64::MAX)]), table(&[("a", 1)])];
        assert_eq!(merged(&tables), Err(CountError::Overflow));
    }

    proptest! {
        #[test]
        fn it_is_what_adding_them_up_gives(
            tables in proptest::collection::vec(
                proptest::collection::vec(("[ab\u{0}é]{0,12}", 1..5_u64), 0..12), 0..12),
        ) {
            let tables: Vec<Counts> = tables.iter().map(|pairs| {
                let pairs: Vec<_> = pairs.iter().map(|(word, n)| (word.as_str(), *n)).collect();
                table(&pairs)
            }).collect();
            let mut all = Counts::new();
            for table in &tables {
                all.merge(table).unwrap();
            }
            let expected: Vec<_> = all.sorted().into_iter().map(|(word, n)| (word.to_owned(), n)).collect();
            let totals = Totals { words: all.words(), unique: all.unique() };
            prop_assert_eq!(merged(&tables).unwrap(), (expected, totals));
        }
    }
}
