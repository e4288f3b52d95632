//! The American layout, `us`.

use super::Table;

pub(super) const TABLE: Table = Table {
    shared_levels: 2,
    own: &[
        (0x29, "`~"),
        (0x03, "2@"),
        (0x04, "3#"),
        (0x05, "4$"),
        (0x07, "6^"),
        (0x08, "7&"),
        (0x09, "8*"),
        (0x0a, "9("),
        (0x0b, "0)"),
        (0x0c, "-_"),
        (0x0d, "=+"),
        (0x1a, "[{"),
        (0x1b, "]}"),
        (0x27, ";:"),
        (0x28, "'\""),
        (0x2b, "\\|"),
        (0x33, ",<"),
        (0x34, ".>"),
        (0x35, "/?"),
    ],
};
