//! Who is pushed: people and groups with plausible names, the same ones in every run.

/// A person of the demonstration.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) given: &'static str,
    pub(super) family: &'static str,
    pub(super) email: String,
    pub(super) title: &'static str,
    pub(super) department: &'static str,
}

/// A group of the demonstration.
#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) number: usize,
    pub(super) name: String,
    /// Who belongs to it, as positions in the list of people.
    pub(super) members: Vec<usize>,
}

/// Each name as it is written, and as it stands in an address.
const GIVEN: [(&str, &str); 50] = [
    ("Amara", "amara"),
    ("Ana", "ana"),
    ("Anders", "anders"),
    ("Aoife", "aoife"),
    ("Arjun", "arjun"),
    ("Ayşe", "ayse"),
    ("Bilal", "bilal"),
    ("Camille", "camille"),
    ("Chiara", "chiara"),
    ("Daniel", "daniel"),
    ("Deepa", "deepa"),
    ("Diego", "diego"),
    ("Elif", "elif"),
    ("Emma", "emma"),
    ("Farid", "farid"),
    ("Fatima", "fatima"),
    ("Femi", "femi"),
    ("Grace", "grace"),
    ("Hana", "hana"),
    ("Henrik", "henrik"),
    ("Hiroshi", "hiroshi"),
    ("Ines", "ines"),
    ("Ivan", "ivan"),
    ("Jelena", "jelena"),
    ("João", "joao"),
    ("José", "jose"),
    ("Julia", "julia"),
    ("Kofi", "kofi"),
    ("Lena", "lena"),
    ("Linh", "linh"),
    ("Lucía", "lucia"),
    ("Łukasz", "lukasz"),
    ("Maria", "maria"),
    ("Marek", "marek"),
    ("Mei", "mei"),
    ("Mohamed", "mohamed"),
    ("Nadia", "nadia"),
    ("Noah", "noah"),
    ("Olga", "olga"),
    ("Omar", "omar"),
    ("Pavel", "pavel"),
    ("Priya", "priya"),
    ("Rosa", "rosa"),
    ("Samir", "samir"),
    ("Sofia", "sofia"),
    ("Tomasz", "tomasz"),
    ("Wanjiru", "wanjiru"),
    ("Yuki", "yuki"),
    ("Zanele", "zanele"),
    ("Zoë", "zoe"),
];

const FAMILY: [(&str, &str); 49] = [
    ("Abebe", "abebe"),
    ("Adeyemi", "adeyemi"),
    ("Andersson", "andersson"),
    ("Becker", "becker"),
    ("Bianchi", "bianchi"),
    ("Castillo", "castillo"),
    ("Chen", "chen"),
    ("Costa", "costa"),
    ("Demir", "demir"),
    ("Diallo", "diallo"),
    ("Dubois", "dubois"),
    ("Fernández", "fernandez"),
    ("Fischer", "fischer"),
    ("García", "garcia"),
    ("Haddad", "haddad"),
    ("Hansen", "hansen"),
    ("Horvat", "horvat"),
    ("Ito", "ito"),
    ("Jansen", "jansen"),
    ("Kamau", "kamau"),
    ("Khan", "khan"),
    ("Kim", "kim"),
    ("Kovács", "kovacs"),
    ("Kowalski", "kowalski"),
    ("Kumar", "kumar"),
    ("Larsen", "larsen"),
    ("Mbeki", "mbeki"),
    ("Mehta", "mehta"),
    ("Moreau", "moreau"),
    ("Müller", "mueller"),
    ("Murphy", "murphy"),
    ("Nakamura", "nakamura"),
    ("Nguyen", "nguyen"),
    ("Nielsen", "nielsen"),
    ("Novak", "novak"),
    ("Okafor", "okafor"),
    ("Oliveira", "oliveira"),
    ("Park", "park"),
    ("Petrov", "petrov"),
    ("Popescu", "popescu"),
    ("Rossi", "rossi"),
    ("Santos", "santos"),
    ("Schmidt", "schmidt"),
    ("Silva", "silva"),
    ("Singh", "singh"),
    ("Tanaka", "tanaka"),
    ("Virtanen", "virtanen"),
    ("Walker", "walker"),
    ("Yılmaz", "yilmaz"),
];

const DEPARTMENTS: [&str; 14] = [
    "Accounting",
    "Customer Care",
    "Design",
    "Engineering",
    "Facilities",
    "Field Service",
    "Legal",
    "Logistics",
    "Marketing",
    "People",
    "Procurement",
    "Quality",
    "Research",
    "Sales",
];

const PLACES: [&str; 15] = [
    "Accra",
    "Berlin",
    "Bogotá",
    "Chennai",
    "Dublin",
    "Istanbul",
    "Kraków",
    "Lisbon",
    "Lyon",
    "Manila",
    "Nairobi",
    "Oslo",
    "Porto Alegre",
    "Sapporo",
    "Toronto",
];

const TITLES: [&str; 6] = ["Analyst", "Coordinator", "Lead", "Manager", "Specialist", "Technician"];

/// The name of the group of all people of a company, the first of its groups.
pub(super) const EVERYBODY: &str = "All Employees";

/// So many people of one company.
pub(super) fn people(count: usize, domain: &str) -> Vec<Person> {
    (0..count)
        .map(|number| {
            // The two lists' lengths have no common divisor, so that all pairs come before one comes again.
            let (given, family) = (GIVEN[number % GIVEN.len()], FAMILY[number % FAMILY.len()]);
            let again = number / (GIVEN.len() * FAMILY.len());
            let suffix = if again == 0 { String::new() } else { (again + 1).to_string() };
            Person {
                number,
                given: given.0,
                family: family.0,
                email: format!("{}.{}{suffix}@{domain}", given.1, family.1),
                title: TITLES[number % TITLES.len()],
                department: DEPARTMENTS[number % DEPARTMENTS.len()],
            }
        })
        .collect()
}

/// So many groups: one of everybody, the others of some. Everybody is in one to five of those.
pub(super) fn teams(count: usize, people: usize) -> Vec<Team> {
    let mut teams: Vec<Team> =
        (0..count).map(|number| Team { number, name: team_name(number), members: Vec::new() }).collect();
    let Some((everybody, others)) = teams.split_first_mut() else { return teams };
    everybody.members = (0..people).collect();
    if others.is_empty() {
        return teams;
    }
    for person in 0..people {
        for turn in 0..=person % 5 {
            let team = &mut others[(person * 31 + turn * 17) % (count - 1)];
            if team.members.last() != Some(&person) {
                team.members.push(person);
            }
        }
    }
    teams
}

fn team_name(number: usize) -> String {
    let Some(number) = number.checked_sub(1) else { return EVERYBODY.into() };
    let (department, place) = (DEPARTMENTS[number % DEPARTMENTS.len()], PLACES[number % PLACES.len()]);
    match number / (DEPARTMENTS.len() * PLACES.len()) {
        0 => format!("{department} {place}"),
        again => format!("{department} {place} {}", again + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_have_the_same_name() {
        let people = people(6_000, "example.com");
        assert_eq!(people.iter().map(|person| &person.email).collect::<BTreeSet<_>>().len(), 6_000);
        let teams = teams(700, 6_000);
        assert_eq!(teams.iter().map(|team| &team.name).collect::<BTreeSet<_>>().len(), 700);
        assert!(teams.iter().all(|team| !team.members.is_empty()));
    }

    #[test]
    fn the_smallest_demonstrations_are_possible() {
        assert!(people(0, "example.com").is_empty());
        assert!(teams(0, 10).is_empty());
        assert_eq!(teams(1, 3)[0].members, [0, 1, 2]);
        assert_eq!(teams(3, 0).len(), 3);
    }
}
