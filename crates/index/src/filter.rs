//! The packet filter language on the index: what a packet and an observation are to a filter.

mod packet;
mod payload;
