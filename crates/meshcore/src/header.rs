//! The header byte: route in bits 0–1, payload type in bits 2–5, payload version in bits 6–7 (firmware `Packet.h`).

use std::fmt;

/// How a packet travels, and whether two transport codes follow the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Route {
    /// Flooded within a scope: the path is the repeaters passed so far.
    TransportFlood = 0,
    /// Flooded everywhere: the path is the repeaters passed so far.
    Flood = 1,
    /// Along a given path: the path is the repeaters still ahead.
    Direct = 2,
    /// Along a given path, with transport codes.
    TransportDirect = 3,
}

impl Route {
    /// All four, in the order of their codes.
    pub const ALL: [Route; 4] = [Route::TransportFlood, Route::Flood, Route::Direct, Route::TransportDirect];

    /// The route in the two lowest bits of `bits` (so a whole header byte will do).
    pub const fn from_bits(bits: u8) -> Route {
        Route::ALL[(bits & 0b11) as usize]
    }

    /// The number on air: 0 to 3.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The firmware's name, such as `TRANSPORT_FLOOD`.
    pub const fn name(self) -> &'static str {
        match self {
            Route::TransportFlood => "TRANSPORT_FLOOD",
            Route::Flood => "FLOOD",
            Route::Direct => "DIRECT",
            Route::TransportDirect => "TRANSPORT_DIRECT",
        }
    }

    /// Whether four bytes of transport codes follow the header.
    pub const fn has_transport_codes(self) -> bool {
        matches!(self, Route::TransportFlood | Route::TransportDirect)
    }

    /// With or without transport codes.
    pub const fn is_flood(self) -> bool {
        matches!(self, Route::TransportFlood | Route::Flood)
    }

    /// With or without transport codes.
    pub const fn is_direct(self) -> bool {
        !self.is_flood()
    }

    /// The same kind of route, with transport codes.
    pub const fn with_transport_codes(self) -> Route {
        if self.is_flood() { Route::TransportFlood } else { Route::TransportDirect }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a payload is. All 16 codes have a name here; 12 to 14 are received by the firmware but neither used nor
/// forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PayloadType {
    /// Request of one node to another.
    Request = 0,
    /// Answer to a request.
    Response = 1,
    /// Text from one node to another.
    Text = 2,
    /// Acknowledgement of a text.
    Ack = 3,
    /// A node tells who and where it is.
    Advert = 4,
    /// Text to a channel.
    GroupText = 5,
    /// Data to a channel.
    GroupData = 6,
    /// Request with the sender's whole key, such as a login.
    AnonRequest = 7,
    /// The path that a packet took, returned to its sender.
    PathReturn = 8,
    /// Measures the signal-to-noise ratio at each hop of a given route.
    Trace = 9,
    /// One of several packets that belong together.
    Multipart = 10,
    /// Discovery of neighbours, unencrypted.
    Control = 11,
    /// Not assigned.
    Unassigned12 = 12,
    /// Not assigned.
    Unassigned13 = 13,
    /// Not assigned.
    Unassigned14 = 14,
    /// Opaque bytes of an application.
    RawCustom = 15,
}

impl PayloadType {
    /// All 16, in the order of their codes.
    pub const ALL: [PayloadType; 16] = [
        PayloadType::Request,
        PayloadType::Response,
        PayloadType::Text,
        PayloadType::Ack,
        PayloadType::Advert,
        PayloadType::GroupText,
        PayloadType::GroupData,
        PayloadType::AnonRequest,
        PayloadType::PathReturn,
        PayloadType::Trace,
        PayloadType::Multipart,
        PayloadType::Control,
        PayloadType::Unassigned12,
        PayloadType::Unassigned13,
        PayloadType::Unassigned14,
        PayloadType::RawCustom,
    ];

    /// The type in the four lowest bits of `bits`: the header shifted right by two.
    pub const fn from_bits(bits: u8) -> PayloadType {
        PayloadType::ALL[(bits & 0b1111) as usize]
    }

    /// The number on air: 0 to 15.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The firmware's name, such as `ADVERT`; `UNKNOWN` for the three unassigned codes, which [`Self::code`] tells
    /// apart.
    pub const fn name(self) -> &'static str {
        match self {
            PayloadType::Request => "REQ",
            PayloadType::Response => "RESPONSE",
            PayloadType::Text => "TXT_MSG",
            PayloadType::Ack => "ACK",
            PayloadType::Advert => "ADVERT",
            PayloadType::GroupText => "GRP_TXT",
            PayloadType::GroupData => "GRP_DATA",
            PayloadType::AnonRequest => "ANON_REQ",
            PayloadType::PathReturn => "PATH",
            PayloadType::Trace => "TRACE",
            PayloadType::Multipart => "MULTIPART",
            PayloadType::Control => "CONTROL",
            PayloadType::Unassigned12 | PayloadType::Unassigned13 | PayloadType::Unassigned14 => "UNKNOWN",
            PayloadType::RawCustom => "RAW_CUSTOM",
        }
    }

    /// The type with the firmware's name, in capitals; `None` for anything else, also for `UNKNOWN`.
    pub fn from_name(name: &str) -> Option<PayloadType> {
        PayloadType::ALL.into_iter().find(|t| t.is_assigned() && t.name() == name)
    }

    /// Whether the firmware gives this code a meaning.
    pub const fn is_assigned(self) -> bool {
        !matches!(self, PayloadType::Unassigned12 | PayloadType::Unassigned13 | PayloadType::Unassigned14)
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which header byte has this route and type, in version 0.
pub(crate) const fn header_byte(route: Route, payload_type: PayloadType) -> u8 {
    route.code() | payload_type.code() << 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_place_in_the_list() {
        for code in 0..16 {
            assert_eq!(PayloadType::from_bits(code).code(), code);
        }
        for code in 0..4 {
            assert_eq!(Route::from_bits(code).code(), code);
        }
        assert_eq!(PayloadType::from_name("GRP_TXT"), Some(PayloadType::GroupText));
        assert_eq!(PayloadType::from_name("UNKNOWN"), None);
    }
}
