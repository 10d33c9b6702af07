//! The same answers by plain scans over plain lists.

use index::{ChannelRef, Order, PacketQuery, Sort};
use meshcore::{AppData, Frame, Location, NodeKey, Payload, PayloadType, Role};
use model::{TransmissionId, UnixMillis};

use crate::history::{Heard, History, REGIONS};

/// What is known of a packet of a history that was heard.
pub(crate) struct Packet<'a> {
    pub(crate) id: TransmissionId,
    pub(crate) frame: Frame<'a>,
    /// In order of arrival.
    pub(crate) heard: Vec<&'a Heard>,
}

impl<'a> Packet<'a> {
    pub(crate) fn first_seen(&self) -> UnixMillis {
        self.heard.iter().map(|heard| heard.time).min().unwrap()
    }

    pub(crate) fn latest(&self) -> UnixMillis {
        self.heard.iter().map(|heard| heard.time).max().unwrap()
    }

    pub(crate) fn node(&self) -> Option<NodeKey> {
        match self.frame.payload() {
            Ok(Payload::Advert(advert)) => Some(advert.key),
            _ => None,
        }
    }

    pub(crate) fn hash_byte(&self) -> Option<u8> {
        match self.frame.payload() {
            Ok(Payload::GroupText(text)) => Some(text.channel_hash),
            Ok(Payload::GroupData(data)) => Some(data.channel_hash),
            _ => None,
        }
    }

    pub(crate) fn channel(&self) -> Option<ChannelRef> {
        let options = crate::history::options();
        let name = match self.frame.payload() {
            Ok(Payload::GroupText(text)) => options.keys.decrypt_text(&text).map(|m| m.channel.to_owned()),
            Ok(Payload::GroupData(data)) => options.keys.decrypt_data(&data).map(|d| d.channel.to_owned()),
            _ => return None,
        };
        Some(name.map_or(ChannelRef::Encrypted(self.hash_byte()?), ChannelRef::Name))
    }

    pub(crate) fn heard_in(&self, regions: &[String]) -> bool {
        self.heard_of(Some(regions)).next().is_some()
    }

    /// The copies heard in any of these regions, or all.
    pub(crate) fn heard_of(&self, regions: Option<&[String]>) -> impl Iterator<Item = &&'a Heard> {
        let is_in = move |heard: &&&Heard, regions: &[String]| {
            let code = REGIONS[usize::from(heard.observer.0)].map(|code| code.trim().to_uppercase());
            code.is_some_and(|code| regions.iter().any(|region| region.to_uppercase() == code))
        };
        self.heard.iter().filter(move |heard| regions.is_none_or(|regions| is_in(heard, regions)))
    }

    fn is_in_channel(&self, channel: &ChannelRef) -> bool {
        match channel {
            ChannelRef::HashByte(hash) => self.hash_byte() == Some(*hash),
            ChannelRef::Encrypted(_) => self.channel().as_ref() == Some(channel),
            ChannelRef::Name(name) => {
                self.channel() == Some(ChannelRef::Name(name.clone()))
                    || self.channel() == Some(ChannelRef::Name(format!("#{name}")))
            }
        }
    }

    fn passes(&self, query: &PacketQuery) -> bool {
        let hidden = &query.hidden;
        if self.node().is_some_and(|node| hidden.hides_node(&node))
            || self.heard.iter().all(|heard| hidden.hides_observer(heard.observer))
        {
            return false;
        }
        let of = |nodes: &[NodeKey]| self.node().is_some_and(|node| nodes.contains(&node));
        query.payload_type.is_none_or(|payload_type| self.frame.payload_type() == payload_type)
            && query.route.is_none_or(|route| self.frame.route() == route)
            && (query.observers.is_empty()
                || self.heard.iter().any(|heard| query.observers.contains(&heard.observer)))
            && query.regions.as_ref().is_none_or(|regions| self.heard_in(regions))
            && query.node.is_none_or(|node| of(&[node]))
            && (query.nodes.is_empty() || of(&query.nodes))
            && query.area_nodes.as_ref().is_none_or(|nodes| of(nodes))
            && query.channel.as_ref().is_none_or(|channel| {
                let wanted = query.payload_type.unwrap_or(PayloadType::GroupText);
                self.is_in_channel(channel) && self.frame.payload_type() == wanted
            })
            && query.hash.is_none_or(|hash| self.frame.content_hash() == hash)
            && query.since.is_none_or(|since| self.first_seen() > since)
            && query.until.is_none_or(|until| self.first_seen() < until)
    }
}

/// All packets in the order of their ids.
pub(crate) fn packets(history: &History) -> Vec<Packet<'_>> {
    let packets = history.packets.iter().enumerate().map(|(place, stored)| Packet {
        id: stored.id,
        frame: Frame::parse(&stored.raw).unwrap(),
        heard: history.heard.iter().filter(|heard| heard.packet == place).collect(),
    });
    packets.filter(|packet| !packet.heard.is_empty()).collect()
}

/// All packets that pass, in the order asked for, without a page cut from them.
pub(crate) fn matching(history: &History, query: &PacketQuery) -> Vec<TransmissionId> {
    let mut found: Vec<_> = packets(history)
        .into_iter()
        .filter(|packet| packet.passes(query))
        .map(|packet| {
            let key = if query.sort == Sort::Latest { packet.latest() } else { UnixMillis(0) };
            (key, packet.id)
        })
        .collect();
    found.sort();
    if query.order == Order::Descending {
        found.reverse();
    }
    found.into_iter().map(|(_, id)| id).collect()
}

/// What the adverts of a node add up to.
#[derive(Debug, PartialEq)]
pub(crate) struct NaiveNode {
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) role: Role,
    pub(crate) location: Option<Location>,
    pub(crate) times: (UnixMillis, UnixMillis),
    pub(crate) advert_count: u32,
    pub(crate) hash_sizes: Vec<u8>,
    pub(crate) default_scope: Option<String>,
    pub(crate) last_advert_timestamp: u32,
}

pub(crate) fn node(history: &History, key: NodeKey) -> Option<NaiveNode> {
    let packets = packets(history);
    let mut adverts: Vec<_> = packets.iter().filter(|packet| packet.node() == Some(key)).collect();
    // By the time at which each was first reported; of equal times by arrival.
    adverts.sort_by_key(|packet| packet.heard[0].id);
    adverts.sort_by_key(|packet| packet.heard[0].time);
    let newest = adverts.last()?;
    let parsed: Vec<_> = adverts
        .iter()
        .map(|packet| match packet.frame.payload() {
            Ok(Payload::Advert(advert)) => (packet.frame, advert),
            _ => unreachable!("only adverts have nodes"),
        })
        .collect();
    let apps: Vec<AppData<'_>> = parsed.iter().filter_map(|(_, advert)| advert.app()?.ok()).collect();
    let week_ago = newest.heard[0].time.plus_ms(-7 * 24 * 3_600_000);
    let told =
        adverts.iter().filter(|packet| !(packet.frame.route().is_direct() && packet.frame.path().is_empty()));
    let scopes = crate::history::options().scopes;
    Some(NaiveNode {
        name: apps.iter().rev().find_map(|app| app.name).map(|name| name.bytes().to_vec()),
        role: apps.last().map_or(Role::None, |app| app.role),
        location: apps.iter().rev().find_map(|app| app.location),
        times: (
            adverts.iter().map(|packet| packet.first_seen()).min()?,
            adverts.iter().map(|packet| packet.latest()).max()?,
        ),
        advert_count: adverts.len() as u32,
        hash_sizes: told
            .filter(|packet| packet.heard[0].time >= week_ago)
            .map(|packet| packet.frame.path().hash_size())
            .collect(),
        default_scope: parsed.iter().rev().find_map(|(frame, _)| scopes.recognise(frame)).map(str::to_owned),
        last_advert_timestamp: parsed.last()?.1.timestamp,
    })
}
