//! Texts of others in markup.

/// Text that stays text in HTML and XML, and within the quotes of an attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_operators_write_is_text_and_no_markup() {
        assert_eq!(escaped("<b \"c\">&"), "&lt;b &quot;c&quot;&gt;&amp;");
    }
}
