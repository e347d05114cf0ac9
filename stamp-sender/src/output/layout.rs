//! How the document of `--json` is laid out: readable at the top, one line for what lies deep.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Objects down to this depth have a line for each field.
const OBJECTS: usize = 4;
/// Arrays down to this depth have a line for each element.
const ARRAYS: usize = 5;

/// The value as text that people can read and that does not grow with white space.
///
/// # Errors
///
/// When a value cannot be written as JSON.
pub fn text(value: &impl Serialize) -> io::Result<String> {
    let mut octets = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut octets, Layout::default());
    value.serialize(&mut serializer)?;
    octets.push(b'\n');
    String::from_utf8(octets).map_err(io::Error::other)
}

#[derive(Default)]
struct Layout {
    /// For every open object and array: whether it has a line for each element, and whether it
    /// has elements.
    open: Vec<(bool, bool)>,
}

impl Layout {
    fn open<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        mark: u8,
        deepest: usize,
    ) -> io::Result<()> {
        self.open.push((self.open.len() < deepest, false));
        writer.write_all(&[mark])
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, mark: u8) -> io::Result<()> {
        if let Some((true, true)) = self.open.pop() {
            self.line(writer)?;
        }
        writer.write_all(&[mark])
    }

    fn element<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        let Some((lines, filled)) = self.open.last_mut() else { return Ok(()) };
        *filled = true;
        if *lines {
            return self.line(writer);
        }
        if first { Ok(()) } else { writer.write_all(b" ") }
    }

    fn line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        for _ in 0..self.open.len() {
            writer.write_all(b"  ")?;
        }
        Ok(())
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'[', ARRAYS)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b']')
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(writer, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'{', OBJECTS)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b'}')
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_lies_deep_shares_a_line() {
        let value = json!({"a": [], "b": {"c": {"d": {"e": {"f": 1, "g": [1, 2]}}}}});
        let wanted = "{\n  \"a\": [],\n  \"b\": {\n    \"c\": {\n      \"d\": {\n        \
                      \"e\": {\"f\": 1, \"g\": [1, 2]}\n      }\n    }\n  }\n}\n";
        assert_eq!(text(&value).unwrap(), wanted);
    }

    #[test]
    fn it_reads_back_as_the_same_value() {
        let value = json!({"a": [[1, [2, {"b": null}]], {}], "text": "\"[{,:"});
        assert_eq!(serde_json::from_str::<Value>(&text(&value).unwrap()).unwrap(), value);
    }
}
