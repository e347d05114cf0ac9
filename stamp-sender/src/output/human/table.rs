//! A table of numbers: labels to the left, values to the right, as narrow as it can be.

/// Widest table that keeps two spaces between columns; a wider one makes do with one.
const WIDTH: usize = 80;

/// Rows of right-aligned cells below a heading.
#[derive(Debug)]
pub struct Table {
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    /// A table with these columns behind the labels.
    #[must_use]
    pub fn new(heading: &[&str]) -> Self {
        let heading = heading.iter().map(|cell| (*cell).to_owned()).collect();
        Self { rows: vec![(String::new(), heading)] }
    }

    /// Adds a row.
    pub fn row(&mut self, label: &str, cells: Vec<String>) {
        self.rows.push((label.to_owned(), cells));
    }

    /// The heading and the rows, one line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let labels = self.rows.iter().map(|(label, _)| width(label)).max().unwrap_or(0);
        let columns = self.rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let widest = |column: usize| {
            self.rows
                .iter()
                .filter_map(|(_, cells)| cells.get(column))
                .map(|cell| width(cell))
                .max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
        let total = labels + widths.iter().map(|width| width + 2).sum::<usize>();
        // Labels stand left and the values behind them right: the first gap looks wide anyway.
        let (first, gap) = match total {
            0..=WIDTH => (2, 2),
            total if total == WIDTH + 1 => (1, 2),
            _ => (1, 1),
        };
        let gaps = std::iter::once(first).chain(std::iter::repeat(gap));
        let line = |(label, cells): &(String, Vec<String>)| {
            let mut line = pad_right(label, labels);
            for ((cell, width), gap) in cells.iter().zip(&widths).zip(gaps.clone()) {
                line.push_str(&pad_left(cell, width + gap));
            }
            line.trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// Columns a text takes, each character taken for one.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text with spaces behind it.
#[must_use]
pub fn pad_right(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// The text with spaces in front of it.
#[must_use]
pub fn pad_left(text: &str, to: usize) -> String {
    format!("{}{text}", " ".repeat(to.saturating_sub(width(text))))
}

/// The text cut into lines of at most `to` columns, at spaces.
#[must_use]
pub fn wrap(text: &str, to: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |line| width(line));
        if used > 0 && used + 1 + width(word) > to {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_left_and_values_right() {
        let mut table = Table::new(&["min", "max"]);
        table.row("forward", vec!["1ms".to_owned(), "12.5ms".to_owned()]);
        table.row("b", vec!["100us".to_owned(), "-".to_owned()]);
        assert_eq!(
            table.lines(),
            ["           min     max", "forward    1ms  12.5ms", "b        100us       -"]
        );
    }

    #[test]
    fn a_wide_table_makes_do_with_one_space() {
        let mut table = Table::new(&["0123456789"; 7]);
        table.row("lab", vec!["x".to_owned(); 7]);
        assert_eq!(width(&table.lines()[0]), 3 + 7 * 11);
    }

    #[test]
    fn text_is_cut_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
