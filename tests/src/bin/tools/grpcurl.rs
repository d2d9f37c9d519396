//! grpcurl: calls of every kind, against grpc-go's test service.

use crate::ground::Ground;
use crate::program::{Ended, run_with};

pub(crate) async fn check() -> String {
    let ground = Ground::new().await;
    for host in ["grpc-on.test", "grpc-off.test"] {
        let call = async |arguments: &[&str], method: &str, messages: &str| {
            grpcurl(&ground, host, arguments, method, messages).await
        };
        let listed = call(&[], "list", "").await.content();
        assert!(
            listed.contains("testing.TestService"),
            "reflection, itself a stream both ways: {listed}"
        );
        let hello = r#"{"payload": {"body": "aGVsbG8="}}"#;
        let headers = [
            "-v",
            "-H",
            "reply-with-headers: x-head: h",
            "-H",
            "reply-with-trailers: x-tail: t",
        ];
        let told = call(&headers, "testing.TestService/UnaryCall", hello)
            .await
            .content();
        assert!(told.contains("aGVsbG8="), "unary: {told}");
        let (before, trailers) = told.split_once("Response trailers received:").unwrap();
        assert!(
            before.contains("x-head: h") && trailers.contains("x-tail: t"),
            "head and trailers: {told}"
        );
        let three = r#"{"response_parameters": [{"size": 3}, {"size": 4}, {"size": 5}]}"#;
        let told = call(&[], "testing.TestService/StreamingOutputCall", three)
            .await
            .content();
        assert_eq!(told.matches("\"body\"").count(), 3, "of the server: {told}");
        let told = call(&[], "testing.TestService/StreamingInputCall", &hello.repeat(3))
            .await
            .content();
        assert!(
            told.contains("\"aggregatedPayloadSize\": 15"),
            "of the client: {told}"
        );
        let told = call(&[], "testing.TestService/FullDuplexCall", &three.repeat(2))
            .await
            .content();
        assert_eq!(told.matches("\"body\"").count(), 6, "both ways: {told}");
        let failed = call(&["-H", "fail-late: 5"], "testing.TestService/UnaryCall", hello).await;
        assert!(
            !failed.success && failed.said.contains("NotFound"),
            "a failure's status: {}",
            failed.said
        );
        let unknown = call(
            &["-H", "fail-early: 16"],
            "testing.TestService/StreamingOutputCall",
            three,
        )
        .await;
        assert!(
            !unknown.success && unknown.said.contains("Unauthenticated"),
            "{}",
            unknown.said
        );
    }
    "reflection, unary, streams of server, client and both, trailers and failures, with the WAF and without"
        .to_owned()
}

async fn grpcurl(ground: &Ground, host: &str, arguments: &[&str], method: &str, messages: &str) -> Ended {
    let (ca, address) = (ground.ca(), format!("localhost:{}", ground.https.port()));
    let common = ["-cacert", &ca, "-authority", host, "-max-time", "60"];
    let data = match messages.is_empty() {
        true => &[][..],
        false => &["-d", "@"],
    };
    let arguments = [&common, arguments, data, &[&address, method]].concat();
    run_with("grpcurl", &arguments, messages.as_bytes()).await
}
