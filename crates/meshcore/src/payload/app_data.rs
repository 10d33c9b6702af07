//! The app data of an advert: role, place and name (firmware `AdvertDataHelpers`).

use std::fmt;

use super::MAX_APP_DATA_BYTES;
use crate::build::BuildError;
use crate::name::NodeName;

/// What kind of node it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Not said.
    None,
    /// A person's device ("chat" in the firmware).
    Companion,
    /// Forwards packets.
    Repeater,
    /// Keeps the texts of a room.
    Room,
    /// Measures something.
    Sensor,
    /// A code from 5 to 15, of firmware yet to come.
    Other(u8),
}

impl Role {
    /// The role in the four lowest bits of `bits`.
    pub const fn from_bits(bits: u8) -> Role {
        match bits & 0x0F {
            0 => Role::None,
            1 => Role::Companion,
            2 => Role::Repeater,
            3 => Role::Room,
            4 => Role::Sensor,
            code => Role::Other(code),
        }
    }

    /// The number on air: 0 to 15.
    pub const fn code(self) -> u8 {
        match self {
            Role::None => 0,
            Role::Companion => 1,
            Role::Repeater => 2,
            Role::Room => 3,
            Role::Sensor => 4,
            Role::Other(code) => code & 0x0F,
        }
    }

    /// `none`, `companion`, `repeater`, `room`, `sensor`, or `type-5` to `type-15`.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "none",
            "companion",
            "repeater",
            "room",
            "sensor",
            "type-5",
            "type-6",
            "type-7",
            "type-8",
            "type-9",
            "type-10",
            "type-11",
            "type-12",
            "type-13",
            "type-14",
            "type-15",
        ];
        NAMES[self.code() as usize]
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Role> {
        (0..16).map(Role::from_bits).find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A place in millionths of a degree, as sent: may be out of range, or 0 and 0 for "not known".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// Latitude × 1,000,000, north positive.
    pub lat_e6: i32,
    /// Longitude × 1,000,000, east positive.
    pub lon_e6: i32,
}

impl Location {
    /// Latitude in degrees.
    pub fn lat(&self) -> f64 {
        f64::from(self.lat_e6) / 1e6
    }

    /// Longitude in degrees.
    pub fn lon(&self) -> f64 {
        f64::from(self.lon_e6) / 1e6
    }

    /// Whether it is within ±90 and ±180 degrees.
    pub const fn is_in_range(&self) -> bool {
        self.lat_e6.unsigned_abs() <= 90_000_000 && self.lon_e6.unsigned_abs() <= 180_000_000
    }

    /// Whether both are 0, which senders without a position send.
    pub const fn is_zero(&self) -> bool {
        self.lat_e6 == 0 && self.lon_e6 == 0
    }
}

/// What an advert says of its sender.
///
/// ```
/// use meshcore::{AppData, Location, Role};
///
/// let place = Location { lat_e6: 52_370_216, lon_e6: 4_895_168 };
/// let app = AppData::new(Role::Repeater).with_location(place).with_name("Dam")?;
/// let bytes = app.encode()?;
/// assert_eq!(bytes[0], 0x92);
/// assert_eq!(AppData::parse(&bytes), Ok(app));
/// # Ok::<(), meshcore::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AppData<'a> {
    /// As sent: bits 0–3 the role, then which of the fields below follow. Building works it out from the fields.
    pub flags: u8,
    /// What it is.
    pub role: Role,
    /// Where it is.
    pub location: Option<Location>,
    /// Not used by today's firmware.
    pub feat1: Option<u16>,
    /// Not used by today's firmware.
    pub feat2: Option<u16>,
    /// Its name; `None` also when the name flag is set but no byte of a name follows.
    pub name: Option<NodeName<'a>>,
}

/// The flagged fields of app data do not fit, so that the firmware takes none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("app data too short for its flags ({field}, app data byte {offset})")]
pub struct AppDataError {
    /// As sent; 0 when there is no byte at all.
    pub flags: u8,
    /// The first field that is not whole.
    pub field: &'static str,
    /// Where it begins, in bytes from the start of the app data.
    pub offset: usize,
}

impl AppDataError {
    /// The role, which stands in the flags.
    pub const fn role(&self) -> Role {
        Role::from_bits(self.flags)
    }
}

const HAS_LOCATION: u8 = 0x10;
const HAS_FEAT1: u8 = 0x20;
const HAS_FEAT2: u8 = 0x40;
const HAS_NAME: u8 = 0x80;

impl<'a> AppData<'a> {
    /// Parses by the firmware's rules: fields in a fixed order, the name is all that is left up to a NUL.
    ///
    /// # Errors
    /// When there is no byte, or the flagged fields do not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<AppData<'a>, AppDataError> {
        let mut rest = bytes;
        let flags = take::<1>(&mut rest).map(|[flags]| flags);
        let flags = flags.ok_or(AppDataError { flags: 0, field: "flags", offset: 0 })?;
        let short = |field, rest: &[u8]| AppDataError { flags, field, offset: bytes.len() - rest.len() };
        let mut app = AppData { flags, ..AppData::new(Role::from_bits(flags)) };
        if flags & HAS_LOCATION != 0 {
            let lat = take(&mut rest).ok_or(short("latitude", rest))?;
            let lon = take(&mut rest).ok_or(short("longitude", rest))?;
            let (lat_e6, lon_e6) = (i32::from_le_bytes(lat), i32::from_le_bytes(lon));
            app.location = Some(Location { lat_e6, lon_e6 });
        }
        if flags & HAS_FEAT1 != 0 {
            app.feat1 = Some(u16::from_le_bytes(take(&mut rest).ok_or(short("feature 1", rest))?));
        }
        if flags & HAS_FEAT2 != 0 {
            app.feat2 = Some(u16::from_le_bytes(take(&mut rest).ok_or(short("feature 2", rest))?));
        }
        if flags & HAS_NAME != 0 {
            app.name = NodeName::from_wire(rest);
        }
        Ok(app)
    }

    /// Only a role.
    pub const fn new(role: Role) -> AppData<'static> {
        AppData { flags: role.code(), role, location: None, feat1: None, feat2: None, name: None }
    }

    /// Adds a place.
    pub fn with_location(self, location: Location) -> AppData<'a> {
        AppData { location: Some(location), flags: self.flags | HAS_LOCATION, ..self }
    }

    /// Adds a name.
    ///
    /// # Errors
    /// When it is empty or contains a NUL. Its length is looked at by [`AppData::encode`], since it depends on the other
    /// fields.
    pub fn with_name(self, name: &'a str) -> Result<AppData<'a>, BuildError> {
        Ok(AppData { name: Some(NodeName::new(name)?), flags: self.flags | HAS_NAME, ..self })
    }

    /// Whether the name flag was sent.
    pub const fn has_name_flag(&self) -> bool {
        self.flags & HAS_NAME != 0
    }

    /// The most bytes that a name can have beside the other fields: 31, with a location 23, less 2 for each feature.
    pub const fn max_name_bytes(&self) -> usize {
        let location = if self.location.is_some() { 8 } else { 0 };
        let features = 2 * (self.feat1.is_some() as usize + self.feat2.is_some() as usize);
        MAX_APP_DATA_BYTES - 1 - location - features
    }

    /// The bytes on air: 1 to 32.
    ///
    /// # Errors
    /// When the name has more than [`AppData::max_name_bytes`]; [`NodeName::cut`] shortens it as the firmware does.
    pub fn encode(&self) -> Result<Vec<u8>, BuildError> {
        let mut bytes = vec![self.role.code()];
        if let Some(location) = self.location {
            bytes[0] |= HAS_LOCATION;
            bytes.extend_from_slice(&location.lat_e6.to_le_bytes());
            bytes.extend_from_slice(&location.lon_e6.to_le_bytes());
        }
        for (feature, flag) in [(self.feat1, HAS_FEAT1), (self.feat2, HAS_FEAT2)] {
            if let Some(feature) = feature {
                bytes[0] |= flag;
                bytes.extend_from_slice(&feature.to_le_bytes());
            }
        }
        if let Some(name) = self.name {
            let (len, max) = (name.bytes().len(), self.max_name_bytes());
            if len > max {
                return Err(BuildError::TooLong { field: "name", len, max });
            }
            bytes[0] |= HAS_NAME;
            bytes.extend_from_slice(name.bytes());
        }
        Ok(bytes)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flagged_fields_that_do_not_fit_make_the_app_data_invalid() {
        let error = AppData::parse(&[0x92, 1, 2, 3, 4, 5, 6, 7]).unwrap_err();
        assert_eq!((error.field, error.offset, error.role()), ("longitude", 5, Role::Repeater));
        assert_eq!(AppData::parse(&[0xF1]).unwrap_err().field, "latitude");
        assert_eq!(AppData::parse(&[0x61, 1, 2, 3]).unwrap_err().field, "feature 2");
        assert_eq!(AppData::parse(&[]).unwrap_err().field, "flags");
    }

    #[test]
    fn a_name_flag_without_a_name_is_no_name() {
        let app = AppData::parse(&[0x81]).unwrap();
        assert!(app.has_name_flag());
        assert_eq!(app.name, None);
        assert_eq!(AppData::parse(&[0x81, 0, b'x']).unwrap().name, None);
    }

    #[test]
    fn names_have_31_bytes_less_what_the_other_fields_take() {
        let place = Location { lat_e6: 1, lon_e6: 2 };
        let with_feature = AppData { feat1: Some(1), ..AppData::new(Role::Room).with_location(place) };
        for (app, max) in [(AppData::new(Role::Room), 31), (with_feature, 21)] {
            let name = "n".repeat(max + 1);
            assert_eq!(app.with_name(&name[1..]).unwrap().encode().unwrap().len(), 32);
            let error = app.with_name(&name).unwrap().encode().unwrap_err();
            assert_eq!(error, BuildError::TooLong { field: "name", len: max + 1, max });
        }
    }

    #[test]
    fn roles_keep_their_code_and_name() {
        for code in 0..16 {
            let role = Role::from_bits(code);
            assert_eq!(role.code(), code);
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }
}
