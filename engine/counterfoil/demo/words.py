"""Names for the sample company; all invented, with the letters that real ones have."""

PLACES = (
    *("Maple Street", "Riverside", "Old Mill", "Lakeshore", "Summit", "Grand Avenue", "Copper Hill", "Bayside"),
    *("Cedar Grove", "Union Square", "Pine Ridge", "São João", "Montréal", "Highland", "Silver Creek", "Östra"),
)
ACTIVITIES = (
    *("Bakery", "Dental", "Logistics", "Hardware", "Architects", "Brewing", "Clinic", "Consulting", "Fitness"),
    *("Florists", "Furniture", "Law Office", "Media", "Robotics", "Roofing", "Textiles"),
)
PEOPLE = (
    *(("Zoë", "Ødegård"), ("José", "Núñez"), ("Siobhán", "O'Brien"), ("Anna", "Müller"), ("Priya", "Raman")),
    *(("Liam", "Carter"), ("Noor", "Haddad"), ("Mei", "Chen"), ("Tomás", "García"), ("Ida", "Sjöberg")),
    *(("Grace", "Okafor"), ("Hugo", "Lefèvre"), ("Ruth", "Adler"), ("Sam", "Whitfield"), ("Ewa", "Nowak")),
    *(("Omar", "Said"), ("Kate", "D'Angelo"), ("Ben", "Fischer"), ("Lucía", "Peña"), ("Jon", "Smith-Jones")),
)
CITIES = (
    *(("New York", "NY", "10013"), ("Boston", "MA", "02110"), ("Albany", "NY", "12207")),
    *(("Hartford", "CT", "06103"), ("Newark", "NJ", "07102"), ("Portland", "ME", "04101")),
)
STREETS = ("Main Street", "Harbor Road", "2nd Avenue", "Market Street", "College Lane", "Station Square")
PRODUCTS = tuple(
    f"{thing} {grade}"
    for thing in (
        *("Desk lamp", "Office chair", "Standing desk", "Filing cabinet", "Whiteboard"),
        *("Conference phone", "Monitor arm", "Acoustic panel", "Installation", "Yearly service"),
    )
    for grade in ("Basic", "Standard", "Plus", "Premium")
)
