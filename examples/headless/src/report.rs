//! What a task tells: sentences for people, or one JSON value a line for programs.

use std::io::{self, Write};

use serde_json::Value;

use crate::error::Error;

/// How results are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    json: bool,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Tells a result: the sentence, unless it is empty, or the value.
    pub(crate) fn tell(self, sentence: &str, value: &Value) -> Result<(), Error> {
        let line = if self.json { value.to_string() } else { sentence.to_owned() };
        if line.is_empty() {
            return Ok(());
        }
        self.raw(format!("{line}\n").as_bytes())
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(self, bytes: &[u8]) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::Output)
    }

    /// Tells why a task failed, on standard error.
    pub(crate) fn fail(self, error: &dyn std::error::Error) {
        self.say(&error.to_string());
    }

    /// Tells what went wrong, on standard error.
    pub(crate) fn say(self, sentence: &str) {
        if self.json {
            eprintln!("{}", serde_json::json!({ "error": sentence }));
        } else {
            eprintln!("error: {sentence}");
        }
    }
}

/// A value for people, on one line.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(parts) => {
            let part = |(name, part): (&String, &Value)| format!("{name}: {}", plain(part));
            parts.iter().map(part).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
