//! Keyboard layouts: which keys make which characters.
//!
//! The tables say what keys make in X11's layouts of the same names. Windows has the same characters on the first two
//! levels and the common ones on the third; the rarer ones of X11, such as `½`, are not there.

mod accents;
mod de;
mod es;
mod fr;
mod gb;
mod it;
mod jp;
mod latin;
mod us;

use std::fmt;
use std::str::FromStr;

use accents::{ACCENTS, Alone};
use spice_proto::channel::inputs::Scancode;

/// A key's scan code of set 1, and what it makes: by itself, with Shift, with AltGr, with both. A space stands for
/// nothing, a combining character for a dead key.
type Keys = &'static [(u8, &'static str)];

/// A layout's keys.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// How many levels of the keys in [`latin`] it has that are not its own.
    shared_levels: usize,
    own: Keys,
}

impl Table {
    fn keys(self) -> impl Iterator<Item = (u8, &'static str)> {
        let shared = latin::KEYS.iter().filter(move |(code, _)| self.own.iter().all(|(own, _)| own != code));
        let cut = move |levels: &'static str| {
            levels.char_indices().nth(self.shared_levels).map_or(levels, |(end, _)| &levels[..end])
        };
        self.own.iter().copied().chain(shared.map(move |(code, levels)| (*code, cut(levels))))
    }
}

/// A keyboard layout of the guest.
///
/// ```
/// use spice_client::keyboard::Layout;
/// let layout: Layout = "de".parse().unwrap();
/// let typing = layout.strokes("Größe 語");
/// assert_eq!(typing.strokes.len(), 6);
/// assert_eq!(typing.untypable, ['語']);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// American.
    #[default]
    Us,
    /// British.
    Gb,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Italian.
    It,
    /// Japanese, without kana.
    Jp,
}

/// One press and release of a key, with the keys that are held meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stroke {
    /// The key.
    pub key: Scancode,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether AltGr is held.
    pub altgr: bool,
}

/// How a text is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strokes {
    /// The strokes, in order.
    pub strokes: Vec<Stroke>,
    /// The characters that the layout cannot make, in order, each once.
    pub untypable: Vec<char>,
}

/// There is no layout of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no keyboard layout '{0}': there are us, gb, de, fr, es, it and jp")]
pub struct UnknownLayout(String);

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 7] = [Self::Us, Self::Gb, Self::De, Self::Fr, Self::Es, Self::It, Self::Jp];

    /// The layout's name, as X11 has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Gb => "gb",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::It => "it",
            Self::Jp => "jp",
        }
    }

    /// How a text is typed, with the lock keys off. A line feed is Enter, with or without a carriage return in front.
    pub fn strokes(self, text: &str) -> Strokes {
        let mut typing = Strokes::default();
        for c in text.replace("\r\n", "\n").chars() {
            let (first, second) = self.character(c);
            if first.is_none() && !typing.untypable.contains(&c) {
                typing.untypable.push(c);
            }
            typing.strokes.extend(first.into_iter().chain(second));
        }
        typing
    }

    /// Every character that the layout can make, each once, but for Enter and Tab.
    pub fn characters(self) -> Vec<char> {
        let direct = self.table().keys().flat_map(|(_, levels)| levels.chars());
        let accented = ACCENTS.iter().filter(|(dead, ..)| self.direct(*dead).is_some());
        let composed = accented.flat_map(|(_, alone, pairs)| {
            let alone = match alone {
                Alone::Nothing => None,
                Alone::Space(c) | Alone::Twice(c) => Some(*c),
            };
            alone.into_iter().chain(split(pairs).map(|(_, made)| made))
        });
        let mut all = vec![' '];
        for c in direct.chain(composed) {
            if self.character(c).0.is_some() && !all.contains(&c) {
                all.push(c);
            }
        }
        all
    }

    fn table(self) -> Table {
        match self {
            Self::Us => us::TABLE,
            Self::Gb => gb::TABLE,
            Self::De => de::TABLE,
            Self::Fr => fr::TABLE,
            Self::Es => es::TABLE,
            Self::It => it::TABLE,
            Self::Jp => jp::TABLE,
        }
    }

    /// The one or two strokes that make a character.
    fn character(self, c: char) -> (Option<Stroke>, Option<Stroke>) {
        match c {
            '\n' | '\r' => return (Some(Stroke::plain(0x1c)), None),
            '\t' => return (Some(Stroke::plain(0x0f)), None),
            ' ' => return (Some(SPACE), None),
            // Combining characters stand for dead keys, which make nothing by themselves.
            _ if ACCENTS.iter().any(|(dead, ..)| *dead == c) => return (None, None),
            _ => {}
        }
        if let Some(stroke) = self.direct(c) {
            return (Some(stroke), None);
        }
        for (dead, alone, pairs) in ACCENTS {
            let Some(accent) = self.direct(*dead) else { continue };
            let second = match alone {
                Alone::Space(made) if *made == c => Some(SPACE),
                Alone::Twice(made) if *made == c => Some(accent),
                _ => split(pairs).find(|(_, made)| *made == c).and_then(|(base, _)| self.direct(base)),
            };
            if second.is_some() {
                return (Some(accent), second);
            }
        }
        (None, None)
    }

    /// The stroke that has this in the table: the one with the fewest keys, and of those a key of the layout's own, which
    /// Windows is more likely to have too.
    fn direct(self, c: char) -> Option<Stroke> {
        let found = self
            .table()
            .keys()
            .filter_map(|(code, levels)| Some((levels.chars().position(|l| l == c)?, code)));
        found.min_by_key(|(level, _)| *level).map(|(level, code)| Stroke {
            key: Scancode::plain(code),
            shift: level % 2 == 1,
            altgr: level >= 2,
        })
    }
}

impl Stroke {
    const fn plain(code: u8) -> Self {
        Self { key: Scancode::plain(code), shift: false, altgr: false }
    }
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, UnknownLayout> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.name() == name)
            .ok_or_else(|| UnknownLayout(name.to_owned()))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The pairs of a string of characters.
fn split(pairs: &'static str) -> impl Iterator<Item = (char, char)> {
    let mut chars = pairs.chars();
    std::iter::from_fn(move || Some((chars.next()?, chars.next()?)))
}

/// The space bar.
const SPACE: Stroke = Stroke::plain(0x39);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_types_ascii() {
        for layout in Layout::ALL {
            let text: String = (' '..='~').collect();
            assert_eq!(layout.strokes(&text).untypable, [], "{layout}");
        }
    }

    #[test]
    fn tables_name_each_key_once_and_pairs_are_whole() {
        for layout in Layout::ALL {
            let mut codes: Vec<u8> = layout.table().keys().map(|(code, _)| code).collect();
            let count = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), count, "{layout}");
            assert!(layout.table().keys().all(|(_, levels)| (1..=4).contains(&levels.chars().count())));
        }
        assert!(ACCENTS.iter().all(|(.., pairs)| pairs.chars().count() % 2 == 0));
    }

    #[test]
    fn dead_keys_take_a_second_stroke() {
        let typing = Layout::De.strokes("é^");
        let dead = Stroke::plain(0x0d);
        assert_eq!(typing.strokes, [dead, Stroke::plain(0x12), Stroke::plain(0x29), SPACE]);
        let euro = Layout::De.strokes("€").strokes;
        assert_eq!(euro, [Stroke { key: Scancode::plain(0x12), shift: false, altgr: true }]);
    }

    #[test]
    fn what_cannot_be_typed_is_named_once() {
        let typing = Layout::Us.strokes("aé\u{301}éa\r\n");
        assert_eq!(typing.untypable, ['é', '\u{301}']);
        assert_eq!(typing.strokes.len(), 3);
    }
}
