//! Known answers: our own strings, with the verdicts of the reference.

use super::super::samples::strings;
use super::{xss, xss_ungated};

const SCRIPTS: &[&[u8]] = &[
    b"<script>alert(1)</script>",
    b"<img src=x onerror=alert(1)>",
    b"\"><svg onload=alert(1)>",
    b"onerror=alert(1)",
    b"x onerror = alert(1)",
    b"x onerror\0=alert(1)",
    b"on\0error=alert(1)",
    b"' onclick=1",
    b"'onclick=1",
    b"\" onclick=1",
    b"` onclick=1",
    b"'a onclick=1",
    b"a/onclick=1",
    b"style=x",
    b"href=javascript:x",
    b"href=&#106;ava",
    b"href=' java'",
    b"src=data:,x",
    b"attributename=onclick",
    b"xmlns=x",
    b"XLINK:HREF=vbscript:",
    b"<!doctype html>",
    b"<!DOCTYPE",
    b"<!-- ` -->",
    b"<!--[if IE]>",
    b"<?xml version=1>",
    b"<?import x>",
    b"<!ENTITY x>",
    b"<?im\0port x>",
    b"<![CDATA[]]><script>",
    b"<!-- --><script>",
    b"<!-- -\0-><script>",
    b"<!-- --!><script>",
    b"<% a %><script>",
    b"<% a % b %><script>",
    b"<%%%><script>",
    b"<a href=x><script>",
    b"</><script>",
    b"</><script a>",
    b"</a><script>",
    b"<scr\0ipt>",
    b"<\0script>",
    b"<SVG/x>",
    b"<xsl:a>",
    b"<a href=\"javascript:x\">",
    b"<a b='c'onclick=x>",
    b"<a / onclick=x>",
    b"<style>",
    b"<iframe src=x>",
    b"from=java",
    b"onclick= x",
];

const HARMLESS: &[&[u8]] = &[
    b"",
    b"hello world",
    b"1 < 2",
    b"xonerror=1",
    b"class=onclick",
    b"href=https://a.example",
    b"attributename=x",
    b"<!-- a -->",
    b"<![CDATA[<script>]]>",
    b"<!-- -- <script>",
    b"</script>",
    b"</ script>",
    b"<b>bold</b>",
    b"<p class='a'>text</p>",
    b"<a href='/x'>",
    b"<a b=c/onclick=x>",
    b"<a /> onclick=x",
    b"a > onclick=x",
    b"<3 you",
    b"a=b; c=d",
    b"dGVzdA==",
    b"x < y && a = b",
    b"<o:p>",
    b"on=1",
    b"onx=1",
    b"=onclick=x",
    b"? onclick= ",
    b"onclick=",
];

#[test]
fn scripts_are_found() {
    for value in SCRIPTS {
        assert!(xss(value), "{}", value.escape_ascii());
    }
}

#[test]
fn harmless_values_are_not() {
    for value in HARMLESS {
        assert!(!xss(value), "{}", value.escape_ascii());
    }
}

#[test]
fn the_gates_make_no_difference() {
    let mut found = 0;
    for value in strings(0x5eed_0055, 100_000) {
        assert_eq!(xss(&value), xss_ungated(&value), "{}", value.escape_ascii());
        found += usize::from(xss(&value));
    }
    assert!(found > 1_000, "{found} scripts are too few to show anything");
}
