//! What dead keys make of the key behind them.

/// A dead key, written as the combining character that it stands for; the character that it makes by itself, if that
/// takes a space or a second press behind it; and pairs of a character and what becomes of it.
pub(super) const ACCENTS: &[(char, Alone, &str)] = &[
    ('\u{300}', Alone::Space('`'), "AÀaàEÈeèIÌiìNǸnǹOÒoòUÙuùWẀwẁYỲyỳ"),
    ('\u{301}', Alone::Twice('´'), "AÁaáCĆcćEÉeéGǴgǵIÍiíKḰkḱLĹlĺMḾmḿNŃnńOÓoóPṔpṕRŔrŕSŚsśUÚuúWẂwẃYÝyýZŹzź"),
    ('\u{302}', Alone::Space('^'), "AÂaâCĈcĉEÊeêGĜgĝHĤhĥIÎiîJĴjĵOÔoôSŜsŝUÛuûWŴwŵYŶyŷZẐzẑ"),
    ('\u{303}', Alone::Space('~'), "AÃaãEẼeẽIĨiĩNÑnñOÕoõUŨuũVṼvṽYỸyỹ"),
    ('\u{304}', Alone::Space('¯'), "AĀaāEĒeēGḠgḡIĪiīOŌoōUŪuūYȲyȳ"),
    ('\u{306}', Alone::Space('˘'), "AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭ"),
    (
        '\u{307}',
        Alone::Space('˙'),
        "AȦaȧBḂbḃCĊcċDḊdḋEĖeėFḞfḟGĠgġHḢhḣIİMṀmṁNṄnṅOȮoȯPṖpṗRṘrṙSṠsṡTṪtṫWẆwẇXẊxẋYẎyẏZŻzż",
    ),
    ('\u{308}', Alone::Twice('¨'), "AÄaäEËeëHḦhḧIÏiïOÖoötẗUÜuüWẄwẅXẌxẍYŸyÿ"),
    ('\u{30a}', Alone::Space('°'), "AÅaåUŮuůwẘyẙ"),
    ('\u{30b}', Alone::Space('˝'), "OŐoőUŰuű"),
    ('\u{30c}', Alone::Space('ˇ'), "AǍaǎCČcčDĎdďEĚeěGǦgǧHȞhȟIǏiǐjǰKǨkǩLĽlľNŇnňOǑoǒRŘrřSŠsšTŤtťUǓuǔZŽzž"),
    ('\u{327}', Alone::Space('¸'), "CÇcçDḐdḑEȨeȩGĢgģHḨhḩKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţ"),
    ('\u{328}', Alone::Space('˛'), "AĄaąEĘeęIĮiįOǪoǫUŲuų"),
    ('\u{31b}', Alone::Nothing, "OƠoơUƯuư"),
    ('\u{309}', Alone::Nothing, "AẢaảEẺeẻIỈiỉOỎoỏUỦuủYỶyỷ"),
    (
        '\u{323}',
        Alone::Nothing,
        "AẠaạBḄbḅDḌdḍEẸeẹHḤhḥIỊiịKḲkḳLḶlḷMṂmṃNṆnṇOỌoọRṚrṛSṢsṣTṬtṭUỤuụVṾvṿWẈwẉYỴyỵZẒzẓ",
    ),
];

/// How the accent of a dead key is typed by itself, where systems agree or else as X11 does it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Alone {
    /// Not at all.
    Nothing,
    /// By a space behind it.
    Space(char),
    /// By a second press.
    Twice(char),
}
