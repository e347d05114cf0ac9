//! Server-sent events, put together from the pieces in which they come.

/// An event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerEvent {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub data: String,
}

/// What has come of an event that is not complete.
#[derive(Debug, Default)]
pub struct EventReader {
    octets: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
}

/// Octets of one event at most: a table of a hundred thousand policies.
const LONGEST: usize = 64 << 20;

/// An event is longer than any table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an event is longer than {LONGEST} octets")]
pub struct TooLong;

impl EventReader {
    /// Takes a piece, and hands out what is complete with it.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; nothing that comes then can be understood.
    pub fn take(&mut self, piece: &[u8]) -> Result<Vec<ServerEvent>, TooLong> {
        let mut events = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            let (line, behind) = rest.split_at(end);
            self.octets.extend_from_slice(line);
            rest = behind.get(1..).unwrap_or_default();
            let line = std::mem::take(&mut self.octets);
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        self.octets.extend_from_slice(rest);
        let held = self.octets.len() + self.data.len();
        if held > LONGEST { Err(TooLong) } else { Ok(events) }
    }

    fn line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            return std::mem::take(&mut self.has_data).then_some(ServerEvent { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // Its number, when to come back, and what is said so that the line is not idle.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_in_pieces_of_any_length() {
        let text = "retry: 2000\nid: 1-4\n\n:\n\nid: 1-5\r\nevent: table\r\ndata: {\r\ndata: }\r\n\r\n\
                    event: removed\ndata:{}\n\nevent: nothing\n\ndata: é\n\n";
        let event = |name: &str, data: &str| ServerEvent { name: name.into(), data: data.into() };
        let expected = [event("table", "{\n}"), event("removed", "{}"), event("", "é")];
        for length in 1..text.len() {
            let mut reader = EventReader::default();
            let pieces = text.as_bytes().chunks(length);
            let events: Vec<_> = pieces.flat_map(|piece| reader.take(piece).unwrap()).collect();
            assert_eq!(events, expected, "{length}");
        }
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut reader = EventReader::default();
        let piece = vec![b'x'; 1 << 20];
        let taken = (0..=64).map(|_| reader.take(&piece)).find(Result::is_err);
        assert_eq!(taken, Some(Err(TooLong)));
    }
}
