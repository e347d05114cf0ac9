//! What a key of the file is; its flag, its environment variable, help, template and checks follow.

use core::marker::PhantomData;

use stamp_config::{Form, Setting};

/// Everything about one key except the type of its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    /// Name in the file; with a dot inside a table.
    pub(crate) key: &'static str,
    /// Name of the flag, if there is one.
    pub(crate) flag: Option<&'static str>,
    /// What stands for the value in help.
    pub(crate) value: &'static str,
    /// Heading it stands under in help and template.
    pub(crate) heading: &'static str,
    /// What it means, in a sentence or two.
    pub(crate) help: &'static str,
    /// Default as it would stand in a file.
    pub(crate) default: Option<&'static str>,
    /// What happens without a value, where there is no default.
    pub(crate) otherwise: &'static str,
    /// A value as it could stand in a file, where there is no default.
    pub(crate) example: &'static str,
    /// Whether it takes a list.
    pub(crate) many: bool,
    /// Every word it takes, where they are few.
    pub(crate) words: &'static [&'static str],
    /// Form and allowed range.
    pub(crate) expected: &'static str,
    /// How a value may stand in the file.
    pub(crate) form: Form,
    /// Whether a text is a value.
    pub(crate) accepts: fn(&str) -> bool,
}

impl Definition {
    /// The name within its table.
    pub(crate) fn leaf(&self) -> &'static str {
        self.key.rsplit_once('.').map_or(self.key, |(_, leaf)| leaf)
    }

    /// The environment variable that stands for the flag.
    pub(crate) fn variable(&self) -> Option<String> {
        let name = self.flag?.replace(['-', '.'], "_").to_ascii_uppercase();
        Some(format!("STAMP_REFLECTOR_{name}"))
    }

    /// `text` as it would stand in a file.
    pub(crate) fn in_file(&self, text: &str) -> String {
        let bare = match self.form {
            Form::Number | Form::Flag => true,
            Form::TextOrNumber => text.bytes().all(|octet| octet.is_ascii_digit()),
            Form::Text => false,
        };
        if bare { text.to_owned() } else { toml::Value::from(text).to_string() }
    }
}

/// A key of the file whose value is a `T`.
#[derive(Debug)]
pub(crate) struct Key<T> {
    /// Everything but the type.
    pub(crate) definition: Definition,
    value: PhantomData<fn() -> T>,
}

impl<T: Setting> Key<T> {
    /// A key with a flag of the same name and no default.
    pub(crate) const fn new(key: &'static str, heading: &'static str, help: &'static str) -> Self {
        let definition = Definition {
            key,
            flag: Some(key),
            value: "VALUE",
            heading,
            help,
            default: None,
            otherwise: "",
            example: "",
            many: false,
            words: &[],
            expected: T::EXPECTED,
            form: T::FORM,
            accepts: |text| T::read(text).is_some(),
        };
        Self { definition, value: PhantomData }
    }

    /// A key without a flag: of a table, or too rare for the command line.
    pub(crate) const fn file_only(
        key: &'static str,
        heading: &'static str,
        help: &'static str,
    ) -> Self {
        let mut this = Self::new(key, heading, help);
        this.definition.flag = None;
        this
    }

    /// The flag has another name than the key.
    pub(crate) const fn flag(mut self, name: &'static str) -> Self {
        self.definition.flag = Some(name);
        self
    }

    /// What stands for the value in help.
    pub(crate) const fn value(mut self, name: &'static str) -> Self {
        self.definition.value = name;
        self
    }

    /// The default as it would stand in a file.
    pub(crate) const fn default(mut self, value: &'static str) -> Self {
        self.definition.default = Some(value);
        self
    }

    /// There is no default: what happens instead, and a value for an example.
    pub(crate) const fn otherwise(mut self, what: &'static str, example: &'static str) -> Self {
        self.definition.otherwise = what;
        self.definition.example = example;
        self
    }

    /// It takes a list.
    pub(crate) const fn many(mut self) -> Self {
        self.definition.many = true;
        self
    }

    /// Every word it takes.
    pub(crate) const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.definition.words = words;
        self
    }

    /// The default as a value; none where there is no default.
    pub(crate) fn default_value(&self) -> Option<T> {
        T::read(self.definition.default?.trim_matches('"'))
    }
}
