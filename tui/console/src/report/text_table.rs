//! A table as text: columns as wide as their widest cell, two blanks between them.

use ratatui::text::Span;

/// Returns the rows as lines, the first of them the titles. The last column ends where its text does.
///
/// All rows have as many cells as the first one.
pub fn render(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |cell: &String| Span::raw(cell.as_str()).width();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(width).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        for (column, (cell, widest)) in row.iter().zip(&widths).enumerate() {
            text.push_str(cell);
            if column + 1 < columns {
                text.push_str(&" ".repeat(widest - width(cell) + 2));
            }
        }
        // Cells may be empty. A line break before them stays.
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn columns_stand_below_each_other_whatever_their_characters_take() {
        let rows = [["NAME", "N"], ["日本", "1"], ["e\u{301}", "22"], ["", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let table = render(&rows);
        assert_eq!(table, "NAME  N\n日本  1\ne\u{301}     22\n\n");
        assert_eq!(render(&[]), "");
    }
}
