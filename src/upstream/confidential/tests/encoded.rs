//! What is no words is not passed on, and what only looks like it is; keys with the middle masked.

use super::*;

/// Base64 of a zlib stream, base32, base85, Ascii85 and uuencode, of a text of 141 characters.
const ENCODED: [&str; 8] = [
    r"eJwli0EOwyAMBL+yD4jyh/YBubc3A05BAoyMicTvS9rjzs68ZICU8RS3gdCSkjHk
hEWGl9KoTjx84R0HX6wwzhkLOgkT5GTYT/1IDnf2Hpp83FBlqZH+Z0jdy6iGc9HC
xbF2pH5Pm2isnqvtX0pzMZY=",
    r"eJwli0EOwyAMBL+yD4jy
h/YBubc3A05BAoyMicTv
S9rjzs68ZICU8RS3gdCS
kjHkhEWGl9KoTjx84R0H
X6wwzhkLOgkT5GTYT/1I
Dnf2Hpp83FBlqZH+Z0jd
y6iGc9HCxbF2pH5Pm2is
nqvtX0pzMZY=",
    r"LFXXKIDBOJSSAQTPMIWCAYJAOBUXEYLUMUQG6ZRAORUGKIDDN5WXAYLOPEQE
CY3NMUXCATTFOZSXEIDUMVWGYIDBNZ4WE33EPEQGCYTPOV2CA5DIMUQGO33M
MQQG6ZRALJ2XE2LDNAWCA3TPOIQHI2DBOQQHI2DFEBSGS43DN52W45BAMZXX
EIDNMVWWEZLSOMQGS4ZAMZXXE5DZEBYGK4TDMVXHILQ=",
    r"S#Nb9VRB_4LT_R$AYmYIX>wt7Wgu^6AarPDAY*TBaA9tFAVFhoWiB92Wp-t9AarGHY#?E7
d17y5c_3k8Z*_DabZBKDXK!p|Aa7<MT6J=1V`wZOZf|lRbZB98AarPDAY^HCV{dhCbRcGL
av*JGZDM6|b0BGRAZBlJba^0fWpZO>Zgeg",
    r"S#Nb9VRB_4LT_R$AYmYIX>wt7Wgu^6AarPDAY*TBaA9tFAVFhoWiB92Wp-t9AarGHY#?E7d17y5c_3k8Z*_DabZBKDXK!p|Aa7<MT6J=1V`wZOZf|lRbZB98AarPDAY^HCV{dhCbRcGLav*JGZDM6|b0BGRAZBlJba^0fWpZO>Zgeg",
    r#"=`8F*@<,p%6>p<a+CQC3Bl[X(AKYo'+EV:.+Cf>,E+*X0+@0LSAM,*#AThX*+EV12C`m/(H"(]&Gp$O)Dfp.EFD,5.B5_Ts+E(j7>'4k"@q[D9DJsP<FD,*)+EV:.+Co2-@rHL-F<G16EZf41D.7'sF!,1<+D,P4FEo!JATD9lDKIK"#,
    r#"M66]U(&%R92!";V(L(&$@<&ER871E(&]F('1H92!C;VUP86YY($%C;64N($YE
M=F5R('1E;&P@86YY8F]D>2!A8F]U="!T:&4@9V]L9"!O9B!:=7)I8V@L(&YO
M<B!T:&%T('1H92!D:7-C;W5N="!F;W(@;65M8F5R<R!I<R!F;W)T>2!P97)C
$96YT+@  
"#,
    r"789c258b410ec3200c04bfb20f88f287f601b9b737034e41028c8c89c4ef4bda
e3cecebc648094f114b781d0929231e484458697d2a84e3c7ce11d075fac30ce
190b3a0913e464d84ffd480e77f61e9a7cdc5065a991fe6748ddcba88673d1c2
c5b176a47e4f9b68ac9eabed5f4a733196",
];

#[test]
fn a_masked_key_is_blanked_out_whatever_the_mask_is() {
    const KEY: &str = "sk-test-0123456789abcdefKEY";
    for mask in [
        "xxxxx",
        "-----",
        "[...]",
        "####",
        "<redacted>",
        " ... ",
        "‥",
        "___",
        "**** ",
        "*****",
        " ends ",
        "…",
    ] {
        let message = format!("Bad key sk-test-012{mask}89abcdefKEY.");
        let shown = shown_with(KEY, &message);
        assert!(!shown.contains("012") && !shown.contains("def"), "{shown}");
        let short = shown_with(KEY, &format!("Bad key sk-test{mask}fKEY."));
        assert!(!short.contains("fKEY"), "{short}");
    }
    for message in [
        "Keys begin with sk- and end with KEY.",
        "A test-0123 is no beginning, and sk-test- alone is no key.",
        "Bad key sk-other-4567.",
    ] {
        assert_eq!(shown_with(KEY, message), message);
    }
    let words = "local-development-key-of-server";
    let message = "The locale of the server is unknown to local-host.";
    assert_eq!(shown_with(words, message), message);
}

#[test]
fn text_that_is_encoded_in_lines_is_not_passed_on() {
    let shown: Vec<_> = ENCODED
        .into_iter()
        .filter(|encoded| shown(&format!("Invalid input:\n{encoded}")) != WITHHELD)
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
}

#[test]
fn a_few_control_characters_are_left_out() {
    for (message, expected) in [
        ("\u{1b}[31mbad\u{1b}[0m input", "bad input"),
        ("\u{1b}[1;31mbad input", "bad input"),
        ("a\0b", "ab"),
        ("a\u{7}\tb\n", "a\tb\n"),
    ] {
        assert_eq!(shown(message), expected);
    }
}

#[test]
fn what_only_looks_like_encoded_text_is_passed_on() {
    for message in [
        r#"upstream said {"error":{"message":"bad","type":"invalid_request_error","param":"top_p","code":null,"status":400}}"#,
        "#/messages/0/content/1/image/source/bytes/properties/additionalProperties/inferenceConfig2 is unknown",
        "Request 7F0C2C1E-5F1B-4D7E-9D1F-0A1B2C3D4E5F failed at 2026-11-26T09:49:48.499674817+00:00 (req_011CUyqhzZ8n9q2w3e4r5t6y).",
        "expected sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, got 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "image size must be one of 14, 28, 42, 56, 70, 84, 98, 112, 126, 140, 154, 168, 182, 196, 210, 224, 238, 252, 266, 280, 294, 308, 322, 336, 350",
        "sizes: 256x256|512x512|1024x1024|1024x1536|1536x1024|2048x2048 are supported",
        "body.messages[0].content[1].image_url.url: ensure this value has at most 2048 characters (type=value_error.any_str.max_length;limit_value=2048)",
        "com.amazonaws.bedrock.runtime.ValidationException: messages.0.content.1.image.source.bytes: Length_Constraint_Violated",
        "litellm.BadRequestError:VertexAIException-INVALID_ARGUMENT:GenerateContentRequest.generation_config.response_schema.properties[name].anyOf[0].type",
    ] {
        assert_eq!(shown(message), message);
    }
}
