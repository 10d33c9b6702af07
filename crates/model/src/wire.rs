//! Serialised forms of types of `meshcore`, which knows of no serialisation.

macro_rules! bytes {
    ($plain:ident, $optional:ident, $type:path, $length:literal) => {
        pub(crate) mod $plain {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            pub(crate) fn serialize<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                value.0.serialize(serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                <[u8; $length]>::deserialize(deserializer).map($type)
            }
        }

        pub(crate) mod $optional {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            pub(crate) fn serialize<S: Serializer>(
                value: &Option<$type>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                value.map(|value| value.0).serialize(serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$type>, D::Error> {
                Ok(Option::<[u8; $length]>::deserialize(deserializer)?.map($type))
            }
        }
    };
}

bytes!(packet_hash, optional_packet_hash, crate::PacketHash, 8);
bytes!(node_key, optional_node_key, crate::NodeKey, 32);
