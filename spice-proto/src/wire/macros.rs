//! The declarations of this crate: one each gives type, decoding, encoding, length and test generator.

/// Declares a message or structure whose fields stand one after the other; each field's type is its wire rule.
///
/// ```
/// use spice_proto::{types::Point, wire, wire::{Blob, Ptr}};
/// wire! {
///     /// A place with a name.
///     pub struct Place {
///         /// Where it is, in pixels.
///         pub at: Point,
///         /// What it is called.
///         pub name: Option<Ptr<Blob<u32>>>,
///     }
/// }
/// let mut body = bytes::BytesMut::new();
/// wire::encode(&Place { at: Point { x: 1, y: 2 }, name: None }, &mut body);
/// assert_eq!(body.len(), 12);
/// ```
#[macro_export]
macro_rules! wire {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $( $(#[$fmeta])* $fvis $field: $ty, )*
        }

        impl $crate::wire::Wire for $name {
            const MIN_LEN: usize = 0 $(+ <$ty as $crate::wire::Wire>::MIN_LEN)*;

            #[inline]
            fn decode(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                $(
                    r.field(stringify!($field));
                    let $field = <$ty as $crate::wire::Wire>::decode(r)?;
                )*
                Ok(Self { $($field),* })
            }

            fn inline_len(&self) -> usize {
                0 $(+ $crate::wire::Wire::inline_len(&self.$field))*
            }

            fn encode(&self, w: &mut $crate::wire::Writer<'_>) {
                $( $crate::wire::Wire::encode(&self.$field, w); )*
            }
        }

        $crate::__when_testing! {
            impl $crate::testing::Sample for $name {
                fn sample(s: &mut $crate::testing::Source<'_>) -> Self {
                    Self { $( $field: $crate::testing::Sample::sample(s) ),* }
                }
            }
        }
    };
}

/// Declares a structure of fixed size, which may stand in an [`Array`](crate::wire::Array).
///
/// ```
/// use spice_proto::pod;
/// pod! {
///     /// A size in pixels.
///     pub struct Size {
///         /// Columns.
///         pub width: u32,
///         /// Rows.
///         pub height: u32,
///     }
/// }
/// let sizes: spice_proto::wire::Array<Size> = [Size { width: 2, height: 3 }].into_iter().collect();
/// assert_eq!(sizes.as_bytes()[..], [2, 0, 0, 0, 3, 0, 0, 0]);
/// ```
#[macro_export]
macro_rules! pod {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        $vis struct $name {
            $( $(#[$fmeta])* $fvis $field: $ty, )*
        }

        const _: () = {
            use $crate::wire::zerocopy;

            /// The structure as it stands on the wire.
            #[derive(
                Clone, Copy,
                zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout,
                zerocopy::Unaligned,
            )]
            #[zerocopy(crate = "zerocopy")]
            #[repr(C)]
            #[allow(missing_docs, unreachable_pub, missing_debug_implementations)]
            pub struct Raw {
                $( $field: <$ty as $crate::wire::Pod>::Raw, )*
            }

            impl $crate::wire::Pod for $name {
                type Raw = Raw;

                #[inline]
                fn from_raw(raw: &Raw) -> Self {
                    Self { $( $field: $crate::wire::Pod::from_raw(&raw.$field) ),* }
                }

                #[inline]
                fn to_raw(&self) -> Raw {
                    Raw { $( $field: $crate::wire::Pod::to_raw(&self.$field) ),* }
                }
            }
        };

        $crate::__when_testing! {
            impl $crate::testing::Sample for $name {
                fn sample(s: &mut $crate::testing::Source<'_>) -> Self {
                    Self { $( $field: $crate::testing::Sample::sample(s) ),* }
                }
            }
        }
    };
}

/// Declares a choice that a leading tag makes; a tag that is not listed is an error, because it decides the layout.
///
/// Each variant has at most one value.
#[macro_export]
macro_rules! tagged {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident : $tag:ty {
            $( $(#[$vmeta:meta])* $variant:ident $( ( $ty:ty ) )? = $value:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name {
            $( $(#[$vmeta])* $variant $( ($ty) )?, )*
        }

        impl $name {
            /// The tag that stands on the wire in front of the value.
            pub const fn tag(&self) -> $tag {
                match self {
                    $( Self::$variant { .. } => $value, )*
                }
            }
        }

        impl $crate::wire::Wire for $name {
            const MIN_LEN: usize = size_of::<$tag>();

            #[inline]
            fn decode(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                match r.pod::<$tag>()? {
                    $( $value => Ok(Self::$variant $( (<$ty as $crate::wire::Wire>::decode(r)?) )?), )*
                    tag => Err(r.error($crate::DecodeErrorKind::UnknownTag { tag: tag.into() })),
                }
            }

            fn inline_len(&self) -> usize {
                Self::MIN_LEN + match self {
                    $( Self::$variant $( ($crate::__bind!(value $ty)) )? =>
                        0 $( + $crate::__with!($ty, $crate::wire::Wire::inline_len(value)) )?, )*
                }
            }

            fn encode(&self, w: &mut $crate::wire::Writer<'_>) {
                $crate::wire::Wire::encode(&self.tag(), w);
                match self {
                    $( Self::$variant $( ($crate::__bind!(value $ty)) )? => {
                        $( $crate::__with!($ty, $crate::wire::Wire::encode(value, w)); )?
                    } )*
                }
            }
        }

        $crate::__when_testing! {
            impl $crate::testing::Sample for $name {
                fn sample(s: &mut $crate::testing::Source<'_>) -> Self {
                    const TAGS: &[$tag] = &[$($value),*];
                    match TAGS[s.below(TAGS.len())] {
                        $( $value => Self::$variant $( (<$ty as $crate::testing::Sample>::sample(s)) )?, )*
                        _ => unreachable!("the tag comes from the table"),
                    }
                }
            }
        }
    };
}

/// Declares named values of an integer; values without a name pass through unchanged.
///
/// ```
/// use spice_proto::codes;
/// codes! {
///     /// What kind of fruit.
///     pub struct Fruit: u8 {
///         /// An apple.
///         APPLE = 1,
///     }
/// }
/// assert_eq!(format!("{:?} {:?}", Fruit::APPLE, Fruit(7)), "APPLE Fruit(7)");
/// ```
#[macro_export]
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident : $int:ty {
            $( $(#[$vmeta:meta])* $code:ident = $value:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(
            /// The number on the wire.
            pub $int,
        );

        impl $name {
            $( $(#[$vmeta])* pub const $code: Self = Self($value); )*

            /// The code's name in the protocol, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $value => Some(stringify!($code)), )*
                    _ => None,
                }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => f.debug_tuple(stringify!($name)).field(&self.0).finish(),
                }
            }
        }

        impl $crate::wire::Pod for $name {
            type Raw = <$int as $crate::wire::Pod>::Raw;

            #[inline]
            fn from_raw(raw: &Self::Raw) -> Self {
                Self($crate::wire::Pod::from_raw(raw))
            }

            #[inline]
            fn to_raw(&self) -> Self::Raw {
                $crate::wire::Pod::to_raw(&self.0)
            }
        }

        $crate::__when_testing! {
            impl $crate::testing::Sample for $name {
                fn sample(s: &mut $crate::testing::Source<'_>) -> Self {
                    const CODES: &[$int] = &[$($value),*];
                    match s.below(CODES.len() + 1) {
                        known if known < CODES.len() => Self(CODES[known]),
                        _ => Self($crate::testing::Sample::sample(s)),
                    }
                }
            }
        }
    };
}

/// Declares bits of an integer; bits without a name pass through unchanged.
///
/// ```
/// use spice_proto::flags;
/// flags! {
///     /// What a door can be.
///     pub struct Door: u8 {
///         /// It stands open.
///         OPEN = 1,
///     }
/// }
/// assert_eq!(Door::from_bits_retain(0x81).bits(), 0x81);
/// assert!(Door::from_bits_retain(0x81).contains(Door::OPEN));
/// ```
#[macro_export]
macro_rules! flags {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident : $int:ty {
            $( $(#[$($vmeta:tt)*])* $flag:ident = $value:expr ),* $(,)?
        }
    ) => {
        $crate::wire::bitflags! {
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            $vis struct $name: $int {
                $( $(#[$($vmeta)*])* const $flag = $value; )*
                // Bits without a name are kept.
                const _ = !0;
            }
        }

        impl $crate::wire::Pod for $name {
            type Raw = <$int as $crate::wire::Pod>::Raw;

            #[inline]
            fn from_raw(raw: &Self::Raw) -> Self {
                Self::from_bits_retain($crate::wire::Pod::from_raw(raw))
            }

            #[inline]
            fn to_raw(&self) -> Self::Raw {
                $crate::wire::Pod::to_raw(&self.bits())
            }
        }

        $crate::__when_testing! {
            impl $crate::testing::Sample for $name {
                fn sample(s: &mut $crate::testing::Source<'_>) -> Self {
                    Self::from_bits_retain($crate::testing::Sample::sample(s))
                }
            }
        }
    };
}

/// Declares the table of one direction of one channel: message numbers and what they carry.
///
/// Gives the enum with a variant per message plus `Unknown`, and its [`Message`](crate::msg::Message)
/// implementation.
#[macro_export]
macro_rules! messages {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$vmeta:meta])* $id:literal => $variant:ident $( ( $ty:ty ) )? ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant)]
        $vis enum $name {
            $( $(#[$vmeta])* $variant $( ($ty) )?, )*
            /// A message with a number that the protocol does not list; passes through unchanged.
            Unknown {
                /// The number on the wire.
                kind: u16,
                /// The body as received.
                body: $crate::msg::Bytes,
            },
        }

        impl $crate::msg::Message for $name {
            fn kind(&self) -> u16 {
                match self {
                    $( Self::$variant { .. } => $id, )*
                    Self::Unknown { kind, .. } => *kind,
                }
            }

            fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => stringify!($variant), )*
                    Self::Unknown { .. } => "Unknown",
                }
            }

            fn decode(
                kind: u16,
                body: &$crate::msg::Bytes,
                pointers: u32,
            ) -> Result<Self, $crate::DecodeError> {
                let _ = pointers;
                match kind {
                    $( $id => $crate::__decode!(Self::$variant, $variant, body, pointers $(, $ty)?), )*
                    _ => Ok(Self::Unknown { kind, body: body.clone() }),
                }
            }

            fn encode_body(&self, out: &mut $crate::msg::BytesMut) {
                match self {
                    $( Self::$variant $( ($crate::__bind!(value $ty)) )? => {
                        $( $crate::__with!($ty, $crate::wire::encode(value, out)) )?
                    } )*
                    Self::Unknown { body, .. } => out.extend_from_slice(body),
                }
            }

            $crate::__when_testing! {
                fn visit<V: $crate::testing::MessageVisitor>(visitor: &mut V) {
                    // A table may be empty.
                    let _ = &visitor;
                    $( $crate::__visit!(visitor, $id, $variant $(, $ty)?); )*
                }
            }
        }
    };
}

/// Binds a name in a pattern, once for a repetition over a type.
#[doc(hidden)]
#[macro_export]
macro_rules! __bind {
    ($name:ident $ty:ty) => {
        $name
    };
}

/// Gives the expression, once for a repetition over a type.
#[doc(hidden)]
#[macro_export]
macro_rules! __with {
    ($ty:ty, $expr:expr) => {
        $expr
    };
}

/// Decodes the body of one message of a table.
#[doc(hidden)]
#[macro_export]
macro_rules! __decode {
    ($make:expr, $variant:ident, $body:ident, $pointers:ident) => {
        Ok($make)
    };
    ($make:expr, $variant:ident, $body:ident, $pointers:ident, $ty:ty) => {
        $crate::wire::decode::<$ty>(stringify!($variant), $body, $pointers).map($make)
    };
}

/// One row of a message table for a visitor.
#[doc(hidden)]
#[macro_export]
macro_rules! __visit {
    ($visitor:ident, $id:literal, $variant:ident) => {
        $visitor.empty($id, stringify!($variant));
    };
    ($visitor:ident, $id:literal, $variant:ident, $ty:ty) => {
        $visitor.payload::<$ty>($id, stringify!($variant));
    };
}

/// Passes its content on with feature `testing` only.
#[cfg(feature = "testing")]
#[doc(hidden)]
#[macro_export]
macro_rules! __when_testing {
    ($($item:tt)*) => { $($item)* };
}

/// Passes its content on with feature `testing` only.
#[cfg(not(feature = "testing"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __when_testing {
    ($($item:tt)*) => {};
}
