//! Tests of the codecs against recorded vectors and against each other.

mod allocations;
mod bitmap;
mod encode;
mod formats;
mod glz;
mod glz_alpha;
mod invalid;
mod limits;
mod lz4;
mod tokens;
mod vectors;
mod vectors_decode;
