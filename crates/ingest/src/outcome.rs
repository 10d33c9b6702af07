//! The named ends of a message, and the remarks that may go with one.

use meshcore::FrameErrorKind;

/// Declares an enum of unit variants together with its number of variants and the name of each.
macro_rules! named {
    ($(#[$doc:meta])* $enum:ident { $($(#[$vdoc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $enum { $($(#[$vdoc])* $variant),+ }

        impl $enum {
            /// Every one, in order of declaration.
            pub const ALL: &[$enum] = &[$($enum::$variant),+];

            /// The name under which it is counted.
            pub fn name(self) -> &'static str {
                match self { $($enum::$variant => $name),+ }
            }
        }
    };
}

named! {
    /// The one end that each message comes to. The sum over all of them is the number of messages received.
    Outcome {
        /// A packet content not heard before.
        StoredTransmission = "stored_transmission",
        /// A known content, heard by an observer that had not heard it by this path.
        StoredObservation = "stored_observation",
        /// The same content from the same observer by the same path: nothing is written.
        Duplicate = "duplicate",
        /// A live status message.
        Status = "status",
        /// A status message the broker had kept: old news that only fills what is unknown of its observer.
        StatusRetained = "status_retained",
        /// An "offline" older than the observer's last "online": a late will, which must not win.
        StatusStale = "status_stale",
        /// A mobile client heard a node at a place.
        StoredReception = "stored_reception",
        /// The same client, node and second as before: nothing is written.
        DuplicateReception = "duplicate_reception",
        /// The topic's region is not among those its source lets through.
        FilteredByIata = "filtered_by_iata",
        /// The topic's region is not on the whitelist.
        FilteredByWhitelist = "filtered_by_whitelist",
        /// The observer is on the blacklist.
        FilteredByBlacklist = "filtered_by_blacklist",
        /// A topic that carries nothing for us: `raw`, `debug`, `internal`, `neighbors`, `serial`, `events`, …, and `client`
        /// unless coverage is switched on.
        IgnoredTopic = "ignored_topic",
        /// A `tx` record: its bytes may belong to another packet, so it is no observation.
        IgnoredTxRecord = "ignored_tx_record",
        /// A message of a companion bridge: plain text, without packet bytes.
        IgnoredCompanion = "ignored_companion",
        /// A mobile client heard a packet on a given way, which does not say who had sent it last.
        ReceptionDirect = "ignored_reception_direct",
        /// A mobile client heard a packet that does not name its last sender, or with one byte only.
        ReceptionUnnamed = "ignored_reception_unnamed",
        /// The topic contains `+` or `#`.
        TopicHasWildcard = "rejected_topic_has_wildcard",
        /// The topic contains control characters.
        TopicNotText = "rejected_topic_not_text",
        /// No usable observer key in topic or `origin_id`: too long, with slashes, blanks, markup or beyond ASCII.
        BadObserverKey = "rejected_bad_observer_key",
        /// A new observer, but as many as are allowed are known already.
        TooManyObservers = "rejected_too_many_observers",
        /// The payload is larger than any observer has reason to send.
        TooLarge = "rejected_too_large",
        /// The payload is not UTF-8.
        NotUtf8 = "rejected_not_utf8",
        /// The payload is not JSON.
        NotJson = "rejected_not_json",
        /// The payload is JSON, but not an object.
        NotAnObject = "rejected_not_an_object",
        /// The payload nests deeper than 128 levels.
        JsonTooDeep = "rejected_json_too_deep",
        /// A packet message whose `raw` is absent, null or empty.
        MissingRaw = "rejected_missing_raw",
        /// `raw` is not an even number of hex digits.
        RawNotHex = "rejected_raw_not_hex",
        /// `raw` is longer than the 255 bytes of the longest frame.
        RawTooLong = "rejected_raw_too_long",
        /// A frame of fewer than 2 bytes.
        FrameLength = "rejected_frame_length",
        /// A payload version other than 0, which no firmware receives.
        FrameVersion = "rejected_frame_version",
        /// The frame ends within its transport codes.
        FrameTruncatedTransport = "rejected_frame_truncated_transport",
        /// The frame ends before its path byte.
        FrameMissingPathByte = "rejected_frame_missing_path_byte",
        /// The reserved path hash size, code 3.
        FramePathMode3 = "rejected_frame_path_mode_3",
        /// A path of more than 64 bytes.
        FramePathTooLong = "rejected_frame_path_too_long",
        /// A path that runs over the end of the frame.
        FramePathBeyondFrame = "rejected_frame_path_beyond_frame",
        /// More than 184 bytes after the path.
        FramePayloadTooBig = "rejected_frame_payload_too_big",
        /// Nothing after the path.
        FrameEmptyPayload = "rejected_frame_empty_payload",
        /// A mobile client that does not say where it is.
        ReceptionNoPlace = "rejected_reception_no_place",
        /// An advert whose key is all zeros.
        AdvertZeroKey = "rejected_advert_zero_key",
        /// An advert with a place that is not on Earth.
        AdvertLocation = "rejected_advert_location",
        /// An advert whose signature is not its key's.
        InvalidSignature = "rejected_invalid_signature",
        /// The index refused what ingest had decided: a fault of this program.
        Internal = "rejected_internal",
    }
}

impl Outcome {
    /// The end of a packet whose frame the firmware would drop.
    pub(crate) fn of_frame_error(kind: FrameErrorKind) -> Outcome {
        match kind {
            FrameErrorKind::Length => Outcome::FrameLength,
            FrameErrorKind::Version => Outcome::FrameVersion,
            FrameErrorKind::TruncatedTransport => Outcome::FrameTruncatedTransport,
            FrameErrorKind::MissingPathByte => Outcome::FrameMissingPathByte,
            FrameErrorKind::PathMode3 => Outcome::FramePathMode3,
            FrameErrorKind::PathTooLong => Outcome::FramePathTooLong,
            FrameErrorKind::PathBeyondFrame => Outcome::FramePathBeyondFrame,
            FrameErrorKind::PayloadTooBig => Outcome::FramePayloadTooBig,
            FrameErrorKind::EmptyPayload => Outcome::FrameEmptyPayload,
        }
    }

    /// Whether the message was refused for what it is, rather than used, filtered or ignored.
    pub fn is_rejection(self) -> bool {
        self >= Outcome::TopicHasWildcard
    }
}

named! {
    /// Something odd about a message that did not decide its outcome. A message may have several, or none.
    Remark {
        /// `len`, `packet_type`, `route` or `hash` of the envelope contradict the packet's bytes, which are believed.
        EnvelopeDisagrees = "envelope_disagrees",
        /// `origin_id` differs from the topic's key, which is believed.
        OriginIdDiffers = "origin_id_differs",
        /// SNR 12.5 with RSSI −65 from a node that fills these in when it has no measurement: both were left out.
        PlaceholderSignal = "placeholder_signal",
        /// SNR, RSSI or score is there, but is no number within its range: left out.
        UnreadableSignal = "unreadable_signal",
        /// A clock without a zone, off by more than a quarter of an hour: the time of arrival was taken.
        ClockWithoutZone = "clock_without_zone",
        /// A clock that has not been set since its node started: the time of arrival was taken.
        ClockNotSet = "clock_not_set",
        /// A time in the future or older than 30 days: the time of arrival was taken.
        ClockNotBelieved = "clock_not_believed",
        /// No time, or none that can be read: the time of arrival was taken.
        ClockMissing = "clock_missing",
        /// A sound frame whose payload is too short for its type: stored all the same.
        PayloadTooShort = "payload_too_short",
        /// Sent with QoS 0: nobody waits for its commit, and nobody sends it again if the process dies before.
        SentAtQos0 = "sent_at_qos_0",
    }
}

/// The remarks of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remarks(u16);

impl Remarks {
    pub(crate) fn add(&mut self, remark: Remark) {
        self.0 |= 1 << remark as u16;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn contains(self, remark: Remark) -> bool {
        self.0 & (1 << remark as u16) != 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_outcome_and_remark_has_a_name_of_its_own() {
        let mut names: HashSet<_> = Outcome::ALL.iter().map(|o| o.name()).collect();
        names.extend(Remark::ALL.iter().map(|r| r.name()));
        assert_eq!(names.len(), Outcome::ALL.len() + Remark::ALL.len());
        assert!(Remark::ALL.len() <= 16, "remarks are kept as bits of a u16");
    }

    #[test]
    fn the_names_say_which_outcomes_are_rejections() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.is_rejection(), outcome.name().starts_with("rejected_"), "{outcome:?}");
        }
    }
}
