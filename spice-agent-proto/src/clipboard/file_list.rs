//! Files as clipboard content: paths in the client's shared folder.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

/// What is to be done with the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileAction {
    /// They stay where they are.
    Copy,
    /// They are moved.
    Cut,
}

impl FileAction {
    const fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Cut => "cut",
        }
    }
}

/// Content of type [`FILE_LIST`](super::DataType::FILE_LIST): the action and the paths, a NUL behind each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileList {
    /// What is to be done with the files.
    pub action: FileAction,
    /// Absolute paths inside the client's WebDAV folder, in UTF-8, without escapes.
    pub paths: Vec<String>,
}

impl FileList {
    /// The content that says this.
    ///
    /// ```
    /// use spice_agent_proto::clipboard::{FileAction, FileList};
    /// let list = FileList { action: FileAction::Copy, paths: vec!["/a/b.txt".into()] };
    /// assert_eq!(list.to_bytes(), "copy\0/a/b.txt\0");
    /// assert_eq!(FileList::parse(b"copy\0/a/b.txt"), Some(list));
    /// ```
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::new();
        for item in core::iter::once(self.action.word()).chain(self.paths.iter().map(String::as_str)) {
            out.extend_from_slice(item.as_bytes());
            out.push(0);
        }
        out.into()
    }

    /// What the content says. The last path may or may not have a NUL. `None` when the action is unknown, or a path is
    /// not UTF-8, not absolute, or has a part `..`.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let content = content.strip_suffix(b"\0").unwrap_or(content);
        let mut items = content.split(|b| *b == 0);
        let action = match items.next()? {
            b"copy" => FileAction::Copy,
            b"cut" => FileAction::Cut,
            _ => return None,
        };
        let path = |item| {
            let path = core::str::from_utf8(item).ok()?;
            (path.starts_with('/') && path.split('/').all(|part| part != "..")).then(|| String::from(path))
        };
        Some(Self { action, paths: items.map(path).collect::<Option<_>>()? })
    }
}
