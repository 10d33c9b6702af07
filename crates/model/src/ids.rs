//! Row ids. All are handed out by the one ingest thread, counting up, and never reused.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);
    };
}

id!(
    /// A transmission: one packet content, however many observers heard it. Starts at 1.
    TransmissionId(u64)
);
id!(
    /// An observation: one observer heard one copy of a transmission. Starts at 1.
    ObservationId(u64)
);
id!(
    /// An observer, in order of first sight. Starts at 0.
    ObserverId(u16)
);
id!(
    /// An entry of the dictionary of frame heads ([`crate::FrameHead`]). Starts at 0, without gaps.
    HeadId(u32)
);
id!(
    /// A mobile client, in order of first sight. Starts at 0.
    ClientId(u16)
);
id!(
    /// A reception of a mobile client ([`crate::Reception`]). Starts at 1.
    ReceptionId(u64)
);
id!(
    /// Where messages come from: the embedded broker, an outside broker of the configuration, the API.
    SourceId(u16)
);
