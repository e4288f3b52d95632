//! Name and size of a file, as the key file that announces it.
//!
//! ```text
//! [vdagent-file-xfer]
//! name=picture.png
//! size=12345
//! ```
//!
//! with a NUL behind the last line. In values `\s`, `\n`, `\t`, `\r` and `\\` stand for a blank, a line feed, a tab, a
//! carriage return and a backslash.

use alloc::string::String;
use core::fmt::Write as _;

use nom::bytes::complete::{take_till, take_until};
use nom::character::complete::{char, space0};
use nom::sequence::{delimited, separated_pair};
use nom::{IResult, Parser};
use thiserror::Error;

/// What is known about a file before its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Its name. What arrives must be checked with [`check_path`] before anything is made of it.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

/// Why a file's announcement cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// There is no NUL at the end.
    #[error("the text has no nul at the end")]
    NoNul,
    /// The text is not UTF-8.
    #[error("the text is not utf-8")]
    NotUtf8,
    /// A line is neither empty, a remark, a group nor a key with a value.
    #[error("a line has no meaning")]
    BadLine,
    /// A value has an escape that does not exist.
    #[error("a value has an unknown escape")]
    BadEscape,
    /// There is no name.
    #[error("the name is missing")]
    NoName,
    /// There is no size, or it is not a decimal number below 2^64.
    #[error("the size is missing or no number")]
    NoSize,
}

impl Metadata {
    /// The key file with its NUL.
    pub fn to_key_file(&self) -> String {
        let mut text = String::with_capacity(self.name.len() + 64);
        text.push_str("[vdagent-file-xfer]\nname=");
        let mut leading = true;
        for c in self.name.chars() {
            match c {
                // Readers strip blanks in front of a value.
                ' ' if leading => text.push_str("\\s"),
                '\t' => text.push_str("\\t"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\\' => text.push_str("\\\\"),
                _ => text.push(c),
            }
            leading &= c == ' ';
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "\nsize={}\n\0", self.size);
        text
    }

    /// Reads a key file. Keys and groups without a meaning here are skipped; what stands behind the NUL is ignored.
    ///
    /// # Errors
    /// [`MetadataError`] says what is wrong with the text.
    pub fn from_key_file(bytes: &[u8]) -> Result<Self, MetadataError> {
        let end = bytes.iter().position(|b| *b == 0).ok_or(MetadataError::NoNul)?;
        let text = bytes.get(..end).unwrap_or_default();
        let text = core::str::from_utf8(text).map_err(|_| MetadataError::NotUtf8)?;
        let (mut name, mut size, mut ours) = (None, None, false);
        for row in text.lines() {
            let (_, line) = line(row).map_err(|_| MetadataError::BadLine)?;
            match line {
                Line::Group(group) => ours = group == "vdagent-file-xfer",
                Line::Entry("name", value) if ours => name = Some(unescape(value)?),
                Line::Entry("size", value) if ours => size = value.trim_end().parse().ok(),
                Line::Entry(..) | Line::Nothing => {}
            }
        }
        Ok(Self { name: name.ok_or(MetadataError::NoName)?, size: size.ok_or(MetadataError::NoSize)? })
    }
}

enum Line<'a> {
    Nothing,
    Group(&'a str),
    Entry(&'a str, &'a str),
}

fn line(row: &str) -> IResult<&str, Line<'_>> {
    let (rest, _) = space0(row)?;
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(("", Line::Nothing));
    }
    if rest.starts_with('[') {
        return delimited(char('['), take_until("]"), char(']')).map(Line::Group).parse(rest);
    }
    separated_pair(take_till(|c| c == '='), char('='), value)
        .map(|(key, value): (&str, &str)| Line::Entry(key.trim_end(), value))
        .parse(rest)
}

fn value(text: &str) -> IResult<&str, &str> {
    let (rest, _) = space0(text)?;
    Ok(("", rest))
}

fn unescape(value: &str) -> Result<String, MetadataError> {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('s') => ' ',
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('\\') => '\\',
                _ => return Err(MetadataError::BadEscape),
            },
            _ => c,
        });
    }
    Ok(text)
}

/// Why a file's name is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing in it, or nothing between two slashes.
    #[error("the name, or a part of it, is empty")]
    Empty,
    /// It starts at the root or at a drive.
    #[error("the name is absolute")]
    Absolute,
    /// A part of it is `.` or `..`.
    #[error("the name leads to another folder")]
    Dots,
    /// It has a NUL, another control character, or a backslash, which is a separator to some systems.
    #[error("the name has a character that names must not have")]
    BadCharacter,
    /// It leads into a folder where a plain name is wanted.
    #[error("the name has folders")]
    Folders,
}

/// Checks that a name stays below the folder that it is used in. It may lead into folders below.
///
/// What Windows takes for devices, such as `NUL` or `com1.txt`, are names like others elsewhere and pass: an agent there
/// has to refuse them itself.
///
/// # Errors
/// [`NameError`] says what is wrong with the name.
///
/// ```
/// use spice_agent_proto::file_xfer::{NameError, check_path};
/// assert_eq!(check_path("photos/a.png"), Ok(()));
/// assert_eq!(check_path("photos/../../a.png"), Err(NameError::Dots));
/// assert_eq!(check_path("/etc/passwd"), Err(NameError::Absolute));
/// assert_eq!(check_path("C:a.png"), Err(NameError::Absolute));
/// ```
pub fn check_path(name: &str) -> Result<(), NameError> {
    if name.chars().any(|c| c.is_control() || c == '\\') {
        return Err(NameError::BadCharacter);
    }
    if let [b'/', ..] = name.as_bytes() {
        return Err(NameError::Absolute);
    }
    if let [drive, b':', ..] = name.as_bytes()
        && drive.is_ascii_alphabetic()
    {
        return Err(NameError::Absolute);
    }
    for part in name.split('/') {
        // Some systems drop blanks and dots at the end of a name, so that `.. ` is `..` to them.
        match part.trim_end_matches(' ') {
            "" => return Err(NameError::Empty),
            dots if dots.bytes().all(|b| b == b'.') => return Err(NameError::Dots),
            _ => {}
        }
    }
    Ok(())
}

/// Checks that a name is a plain one, without folders, as clients should send it.
///
/// # Errors
/// As [`check_path`], and [`NameError::Folders`].
pub fn check_name(name: &str) -> Result<(), NameError> {
    check_path(name)?;
    if name.contains('/') { Err(NameError::Folders) } else { Ok(()) }
}
