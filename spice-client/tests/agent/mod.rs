//! The agent's machine against an agent in memory, whose server keeps the rules of tokens and framing.

mod clipboard;
mod files;
mod host;
mod monitors;
