//! Paging by cursor (RFC 9865).

use serde_json::{Value, json};

use super::site::{Directory, Site, settings};

/// All pages of a list, with something done between them.
fn pages(directory: &Directory<'_>, query: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut cursor, mut names) = (String::new(), Vec::new());
    for page in 0.. {
        let answer = directory.get(&format!("/Users?count=3&cursor={cursor}{query}")).expect(200);
        assert!(answer.body.get("startIndex").is_none());
        assert_eq!(answer.body["totalResults"], 10);
        assert_eq!(answer.body["itemsPerPage"], answer.resources().len());
        names.extend(answer.column("userName"));
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_string(),
            None => break,
        }
        between(page);
    }
    names
}

fn ten(site: &Site) -> Directory<'_> {
    let directory = site.connect(&settings("idp"));
    let title = |n: usize| if n.is_multiple_of(3) { Value::Null } else { format!("{}", n % 2).into() };
    directory.many("/Users", (0..10).map(|n| json!({ "userName": format!("u{}", n * 7 % 10), "title": title(n) })));
    directory
}

const QUERIES: [&str; 7] = [
    "",
    "&filter=userName%20sw%20%22u%22",
    "&filter=id%20pr",
    "&sortBy=userName",
    "&sortBy=title",
    "&sortBy=title&sortOrder=descending",
    "&sortBy=userName&sortOrder=descending&filter=meta.created%20pr",
];

#[test]
fn pages_are_the_list_in_parts() {
    let site = Site::new();
    let directory = ten(&site);
    for query in QUERIES {
        let whole = directory.get(&format!("/Users?count=100{query}")).column("userName");
        assert_eq!(whole.len(), 10);
        assert_eq!(pages(&directory, query, |_| {}), whole, "{query}");
    }
}

/// Others come, go and change meanwhile: who is there all the time is seen once.
#[test]
fn everybody_is_seen_once_while_others_write() {
    for query in QUERIES {
        let site = Site::new();
        let directory = ten(&site);
        let mut gone = Vec::new();
        let mut names = pages(&directory, query, |page| {
            // In front of everybody, behind everybody, and in the place where the cursor is.
            directory.user(&format!("u!{page}"));
            directory.user(&format!("uz{page}"));
            let shown = directory.get("/Users?sortBy=userName&count=100").expect(200);
            let name = json!(format!("u{}", page * 2));
            if let Some(user) = shown.resources().iter().find(|user| user["userName"] == name) {
                directory.delete(&format!("/Users/{}", user["id"].as_str().unwrap())).expect(204);
                gone.push(user["userName"].as_str().unwrap().to_string());
            }
        });
        names.sort_unstable();
        let seen = names.len();
        names.dedup();
        assert_eq!(names.len(), seen, "{query}");
        for name in (0..10).map(|n| format!("u{n}")).filter(|name| !gone.contains(name)) {
            assert!(names.contains(&name), "{query} {name}");
        }
    }
}

#[test]
fn a_cursor_is_of_one_list() {
    let site = Site::new();
    let directory = ten(&site);
    let next = |query: &str| {
        directory.get(&format!("/Users?count=3&cursor={query}")).body["nextCursor"].as_str().unwrap().to_string()
    };
    let (plain, by_name) = (next(""), next("&sortBy=userName"));
    for query in [
        format!("/Groups?cursor={plain}"),
        format!("/Users?cursor={plain}&sortBy=userName"),
        format!("/Users?cursor={plain}&filter=id%20pr"),
        format!("/Users?cursor={by_name}"),
        format!("/Users?cursor={by_name}&sortBy=userName&sortOrder=descending"),
        format!("/Users?cursor={plain}A"),
        "/Users?cursor=nonsense".into(),
        "/Users?cursor=%00".into(),
    ] {
        directory.get(&query).refused(400, "invalidCursor");
    }
    let other = site.connect(&settings("other"));
    other.get(&format!("/Users?cursor={plain}")).refused(400, "invalidCursor");
    directory.get(&format!("/Users?cursor={plain}&startIndex=1")).refused(400, "invalidValue");
    // How much of each and how many to a page may change on the way.
    let page = directory.get(&format!("/Users?cursor={plain}&count=2&attributes=id")).expect(200);
    assert_eq!(page.ids(), directory.ids("/Users?startIndex=4&count=2"));
    let search = directory.post("/Users/.search", &json!({ "cursor": plain, "count": 2 })).expect(200);
    assert_eq!(search.ids(), page.ids());
    assert_eq!(directory.get("/Users?cursor=&count=0").expect(200).ids(), Vec::<String>::new());
}
