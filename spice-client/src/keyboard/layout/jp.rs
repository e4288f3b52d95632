//! The Japanese layout of 106 keys, `jp`, without kana.

use super::Table;

pub(super) const TABLE: Table = Table {
    shared_levels: 2,
    own: &[
        (0x03, "2\""),
        (0x04, "3#"),
        (0x05, "4$"),
        (0x08, "7'"),
        (0x0b, "0"),
        (0x0c, "-="),
        (0x0d, "^~"),
        (0x7d, "\\|"),
        (0x1a, "@`"),
        (0x1b, "[{"),
        (0x27, ";+"),
        (0x28, ":*"),
        (0x2b, "]}"),
        (0x33, ",<"),
        (0x34, ".>"),
        (0x35, "/?"),
        (0x73, "\\_"),
    ],
};
