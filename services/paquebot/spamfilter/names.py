"""Names the rules know: domains and words that phishing borrows, file names that are run. Nothing else."""

# Organisations with customers everywhere, which phishing imitates most.
WELL_KNOWN_DOMAINS = frozenset(
    {
        "adobe.com", "aliexpress.com", "amazon.com", "apple.com", "binance.com", "booking.com",
        "coinbase.com", "dhl.com", "docusign.com", "dropbox.com", "ebay.com", "facebook.com", "fedex.com",
        "github.com", "gmail.com", "google.com", "icloud.com", "instagram.com", "linkedin.com",
        "mastercard.com", "metamask.io", "microsoft.com", "netflix.com", "office.com", "outlook.com",
        "paypal.com", "spotify.com", "telegram.org", "ups.com", "usps.com", "visa.com", "wellsfargo.com",
        "whatsapp.com", "yahoo.com",
    }
)  # fmt: skip

# Their names, as far as they are neither common words nor given names.
WELL_KNOWN_WORDS = frozenset(
    {
        "adobe", "aliexpress", "amazon", "binance", "coinbase", "dhl", "docusign", "dropbox", "ebay",
        "facebook", "fedex", "icloud", "instagram", "linkedin", "mastercard", "metamask", "microsoft",
        "netflix", "paypal", "spotify", "telegram", "usps", "whatsapp", "wellsfargo",
    }
)  # fmt: skip

# Where anybody has a mailbox without being asked who they are.
FREE_MAIL_DOMAINS = frozenset(
    {
        "gmail.com", "googlemail.com", "yahoo.com", "outlook.com", "hotmail.com", "live.com", "aol.com",
        "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru", "proton.me", "protonmail.com", "icloud.com",
        "qq.com", "163.com",
    }
)  # fmt: skip

# What a desktop runs or mounts when a file of that name is opened.
RUNNABLE_EXTENSIONS = frozenset(
    {
        "exe", "scr", "com", "pif", "bat", "cmd", "js", "jse", "vbs", "vbe", "wsf", "wsh", "hta", "ps1",
        "msi", "lnk", "cpl", "jar", "dll", "iso", "img", "vhd", "reg",
    }
)  # fmt: skip

# What people take for something to read, see or hear.
DOCUMENT_EXTENSIONS = frozenset(
    {
        "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "rtf", "jpg", "jpeg", "png", "gif",
        "html", "htm", "csv", "zip", "mp3", "mp4",
    }
)  # fmt: skip
