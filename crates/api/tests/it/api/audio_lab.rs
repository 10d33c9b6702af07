use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

#[tokio::test]
async fn there_are_up_to_eight_packets_of_each_type_from_the_shortest_to_the_longest() {
    let app = TestApp::init();
    let answer = app.get("/api/audio-lab/buckets").await.good();
    assert_golden("audio-lab", answer.clone(), &[]);
    for (name, packets) in answer["buckets"].as_object().unwrap() {
        let packets = packets.as_array().unwrap();
        assert!((1..=8).contains(&packets.len()), "{name}");
        let lengths: Vec<usize> = packets.iter().map(|row| row["raw_hex"].as_str().unwrap().len()).collect();
        assert!(lengths.is_sorted(), "{name}: {lengths:?}");
        for packet in packets {
            let decoded: Value = serde_json::from_str(packet["decoded_json"].as_str().unwrap()).unwrap();
            assert_eq!(decoded["type"], **name);
        }
    }
    assert_eq!(TestApp::empty().get("/api/audio-lab/buckets").await.good(), json!({"buckets": {}}));
}
