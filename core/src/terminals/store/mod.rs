//! The SQL of terminals, each function inside a transaction of its tenant. Role: editor, where nothing else is said; what the log says
//! of terminals is read as the reader and written by the shard's writer.

pub mod certificates;
pub mod codes;
pub mod heartbeats;
pub mod look_ups;
pub mod messages;
