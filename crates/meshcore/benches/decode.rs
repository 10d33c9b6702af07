//! How fast packets are taken apart, on the recorded ones. Run by `cargo bench -p meshcore`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshcore::{Advert, Frame, GroupText, KeyRing, Payload, decode_hex, verify_batch};

const REAL: &str = include_str!("../testdata/real.jsonl");

fn recorded() -> Vec<Vec<u8>> {
    let hex = REAL.lines().filter_map(|line| line.split('"').nth(3)).filter_map(decode_hex);
    hex.filter(|bytes| Frame::parse(bytes).is_ok()).collect()
}

fn payloads(frames: &[Vec<u8>]) -> impl Iterator<Item = Payload<'_>> {
    frames.iter().filter_map(|bytes| Frame::parse(bytes).ok()?.payload().ok())
}

fn parse(c: &mut Criterion) {
    let frames = recorded();
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("frame and payload", |b| {
        b.iter(|| {
            for bytes in &frames {
                black_box(Frame::parse(black_box(bytes)).map(|frame| frame.payload())).ok();
            }
        });
    });
    group.finish();

    let mut group = c.benchmark_group("parse+hash");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("frame, payload and content hash", |b| {
        b.iter(|| {
            for bytes in &frames {
                black_box(
                    Frame::parse(black_box(bytes)).map(|frame| (frame.payload(), frame.content_hash())),
                )
                .ok();
            }
        });
    });
    group.finish();
}

fn decrypt(c: &mut Criterion) {
    let frames = recorded();
    let texts: Vec<GroupText<'_>> = payloads(&frames)
        .filter_map(|payload| if let Payload::GroupText(text) = payload { Some(text) } else { None })
        .collect();
    let mut few = KeyRing::with_public();
    ["#test", "#wardriving", "#bot", "#aa"].into_iter().for_each(|name| few.add_hashtag(name));
    let mut many = few.clone();
    (0..300).for_each(|i| many.add_hashtag(&format!("#{i}")));
    let mut group = c.benchmark_group("decrypt group text");
    group.throughput(Throughput::Elements(texts.len() as u64));
    for (name, keys) in [("5 keys", few), ("305 keys", many)] {
        group.bench_function(name, |b| {
            b.iter(|| texts.iter().filter(|text| keys.decrypt_text(black_box(text)).is_some()).count());
        });
    }
    group.finish();
}

fn verify(c: &mut Criterion) {
    let frames = recorded();
    let adverts: Vec<Advert<'_>> = payloads(&frames)
        .filter_map(|payload| if let Payload::Advert(advert) = payload { Some(advert) } else { None })
        .take(64)
        .collect();
    let mut group = c.benchmark_group("verify");
    group.throughput(Throughput::Elements(adverts.len() as u64));
    group.bench_function("single", |b| b.iter(|| adverts.iter().filter(|advert| advert.verify()).count()));
    group.bench_function("batch", |b| b.iter(|| verify_batch(black_box(&adverts))));
    let mut one_bad = adverts.clone();
    one_bad[adverts.len() / 3].timestamp ^= 1;
    group.bench_function("batch with a bad one", |b| b.iter(|| verify_batch(black_box(&one_bad))));
    group.finish();
}

criterion_group!(benches, parse, decrypt, verify);
criterion_main!(benches);
