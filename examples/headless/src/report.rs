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
        if self.json {
            eprintln!("{}", serde_json::json!({ "error": error.to_string() }));
        } else {
            eprintln!("error: {error}");
        }
    }
}
