use crate::app::TestApp;
use crate::golden::assert_golden;

#[tokio::test]
async fn a_packet_is_found_by_hash_transmission_and_observation() {
    let app = TestApp::init();
    let newest = app.get("/api/packets?limit=1&expand=observations").await.good()["packets"][0].clone();
    let hash = newest["hash"].as_str().unwrap();
    let by_hash = app.get(&format!("/api/packets/{hash}")).await.good();
    assert_eq!(by_hash["packet"]["id"], newest["id"]);
    assert_eq!(app.get(&format!("/api/packets/{}", hash.to_uppercase())).await.good(), by_hash);
    assert_eq!(app.get(&format!("/api/packets/{}", newest["id"])).await.good(), by_hash);
    let heard = &newest["observations"][0]["id"];
    assert!(heard.as_u64() > newest["id"].as_u64(), "there are more observations than transmissions");
    assert_eq!(app.get(&format!("/api/packets/{heard}")).await.good(), by_hash);
}

#[tokio::test]
async fn a_packet_has_the_agreed_shape() {
    let app = TestApp::init();
    assert_golden("packets/one", app.get("/api/packets/1").await.good(), &[]);
}

#[tokio::test]
async fn the_frame_of_each_observation_is_the_one_that_was_heard() {
    let app = TestApp::init();
    let again = crate::app::hear_again(&app.index, 1);
    let packet = app.get("/api/packets/1").await.good();
    let raw = packet["packet"]["raw_hex"].as_str().unwrap();
    let heard = packet["observations"].as_array().unwrap();
    assert_eq!(heard[0]["raw_hex"], raw);
    let last = heard.iter().find(|heard| heard["id"] == again.0).unwrap();
    let frame = last["raw_hex"].as_str().unwrap();
    assert_ne!(frame, raw, "it came by another way");
    assert_eq!(last["path_json"], format!("[\"{}\"]", &frame[4..6]));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let app = TestApp::init();
    for id in
        ["0", "999999", "0123456789abcdef", "xyz", "-1", "99999999999999999999999", "%ff", "%00", "a%2Fb"]
    {
        assert_eq!(app.get(&format!("/api/packets/{id}")).await.error(404), "Not found", "{id}");
    }
}
