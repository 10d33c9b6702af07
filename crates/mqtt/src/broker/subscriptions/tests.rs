use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::outbox::{DeliveryLimits, Outbox};
use crate::packet::ProtocolVersion;
use crate::topic::filter_matches;
use crate::topic::tests::{filters, topics};

fn client(number: u64) -> Arc<Client> {
    let outbox = Arc::new(Outbox::new(DeliveryLimits::default()));
    let peer = ([127, 0, 0, 1], 1).into();
    Arc::new(Client::new(number, number.to_string().into(), peer, None, ProtocolVersion::V5, outbox))
}

fn options(qos: Qos) -> Options {
    Options { qos, no_local: false, retain_as_published: false }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_tree_agrees_with_asking_every_filter(
        steps in prop::collection::vec((0_usize..4, filters(), any::<bool>(), any::<bool>()), 0..40),
        topics in prop::collection::vec(topics(), 1..10),
    ) {
        let clients: Vec<Arc<Client>> = (0..4).map(client).collect();
        let mut tree = Subscriptions::default();
        let mut reference: HashMap<(usize, String), Qos> = HashMap::new();
        for (who, filter, subscribe, acknowledged) in steps {
            let qos = if acknowledged { Qos::AtLeastOnce } else { Qos::AtMostOnce };
            if subscribe {
                let new = tree.insert(&filter, &clients[who], options(qos));
                prop_assert_eq!(new, reference.insert((who, filter), qos).is_none());
            } else {
                let removed = tree.remove(&filter, &clients[who]);
                prop_assert_eq!(removed, reference.remove(&(who, filter)).is_some());
            }
            prop_assert_eq!(tree.len(), reference.len());
        }
        let mut found = Vec::new();
        for topic in topics {
            tree.matching(&topic, &mut found);
            let mut expected: HashMap<u64, Qos> = HashMap::new();
            for ((who, filter), qos) in &reference {
                if filter_matches(filter, &topic) {
                    let best = expected.entry(*who as u64).or_insert(*qos);
                    *best = (*best).max(*qos);
                }
            }
            let found: Vec<(u64, Qos)> = found.iter().map(|m| (m.client.number, m.options.qos)).collect();
            prop_assert_eq!(found.len(), expected.len(), "{}", topic);
            for (number, qos) in found {
                prop_assert_eq!(expected.get(&number), Some(&qos));
            }
        }
        // Nothing stays behind when all are gone.
        for (who, filter) in reference.into_keys() {
            tree.remove(&filter, &clients[who]);
        }
        prop_assert!(tree.root.is_empty() && tree.len() == 0);
    }
}
