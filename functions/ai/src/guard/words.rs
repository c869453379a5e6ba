//! Words that say nothing by themselves: an answer may have them without its sources having them.

/// What sentences are made of in Portuguese, English and Spanish, small letters without accents.
#[rustfmt::skip]
pub const EMPTY: &[&str] = &[
    "a", "o", "e", "as", "os", "um", "uma", "uns", "umas", "de", "do", "da", "dos", "das", "em", "no", "na", "nos", "nas",
    "num", "numa", "por", "pelo", "pela", "pelos", "pelas", "para", "pra", "com", "ao", "aos", "que", "se", "como", "mas",
    "ou", "bem", "mais", "muito", "muita", "ja", "ainda", "tambem", "entre", "sobre", "ate", "desde", "apos", "durante",
    "conforme", "quando", "onde", "qual", "quais", "quanto", "quantos", "quem", "isto", "este", "esta", "estes", "estas",
    "esse", "essa", "esses", "essas", "aquele", "aquela", "seu", "sua", "seus", "suas", "nosso", "nossa", "nossos", "nossas",
    "eu", "ele", "ela", "eles", "elas", "voce", "voces", "me", "te", "lhe", "lhes", "sao", "ser", "sera", "serao", "estao",
    "estamos", "tem", "ter", "temos", "ha", "pode", "podem", "podera", "fica", "ficam", "ficara", "faz", "fazer", "vai",
    "vao", "sendo", "cada", "todo", "toda", "caso", "entao", "assim", "alem", "disso", "atraves", "via", "junto", "aqui",
    "la", "ali", "tal", "tais", "mesmo", "mesma", "outro", "outra", "outros", "outras", "algum", "alguma", "alguns",
    "algumas", "h", "hs", "hrs", "min", "http", "https", "www", "the", "an", "of", "to", "in", "on", "at", "by", "for",
    "from", "with", "and", "or", "is", "are", "be", "it", "its", "you", "your", "we", "our", "can", "have", "has", "there",
    "this", "that", "if", "el", "los", "las", "del", "al", "en", "y", "su", "sus", "es", "son", "hay", "puede", "pueden",
    "usted",
];

/// What politeness is made of, and how what stands in a source is told: they neither give nor take anything.
#[rustfmt::skip]
pub const POLITE: &[&str] = &[
    "apenas", "somente", "so", "possivel", "data", "segue", "seguem", "entendi", "entendo", "abraco", "abracos", "aguardamos",
    "seja", "vindo", "vinda", "ola", "oi", "bom", "boa", "dia", "tarde", "noite", "obrigado", "obrigada", "agradece",
    "agradecemos", "contato", "prazer", "ajudar", "ajuda", "ajudo", "disposicao", "favor", "gentileza", "duvida", "duvidas",
    "pergunta", "perguntas", "precisar", "precise", "quiser", "gostaria", "desejar", "espero", "conte", "conosco", "equipe",
    "nossa", "informacao", "informacoes", "detalhe", "detalhes", "saber", "algo", "coisa", "estou", "posso", "podemos",
    "basta", "custa", "custam", "valor", "valores", "preco", "precos", "chama", "chamam", "realizar", "acessar", "acesse",
    "consultar", "consulte", "encontrar", "encontra", "conferir", "confira", "veja", "ver", "opcao", "opcoes", "forma",
    "formas", "seguinte", "seguintes", "possui", "possuem", "acontece", "acontecem", "ocorre", "funciona", "funcionam",
    "diretamente", "telefone", "site", "link", "endereco", "cpf", "cnpj", "email", "mail", "informou", "informado", "hello",
    "hi", "thanks", "please", "price", "costs", "hola", "gracias", "precio", "cuesta",
];

/// What begins a sentence that is nothing but a greeting, with a name.
pub const GREETINGS: &[&str] = &["ola", "oi", "bom", "boa", "hello", "hi", "hola"];

/// What turns a word into its opposite.
pub const NEGATIONS: &[&str] = &["nao", "nunca", "jamais", "nem", "sem", "not", "never", "without", "sin"];

/// What says that the question has it right: whatever stood in it is then our word.
#[rustfmt::skip]
pub const YES: &[&str] = &[
    "sim", "exato", "exatamente", "correto", "certo", "certeza", "claro", "confirmo", "confirmado", "confirmamos", "verdade",
    "isso", "positivo", "yes", "sure", "right", "correct", "si",
];

/// Parts of time that a source may have as an adjective.
pub const PERIODS: [(&str, &str); 8] = [
    ("mes", "mensal"),
    ("mes", "mensalidade"),
    ("mes", "mensais"),
    ("meses", "mensais"),
    ("ano", "anual"),
    ("ano", "anuidade"),
    ("semana", "semanal"),
    ("semana", "semanais"),
];

/// Words with which something is given away or promised.
#[rustfmt::skip]
pub const PROMISES: &[&str] = &[
    "gratis", "gratuit", "descont", "bolsa", "cupom", "brinde", "isenca", "isent", "reembols", "estorn", "garant", "promet",
    "cortesia", "cashback", "perdoa", "cancelamos", "liberamos", "aprovad", "free", "discount", "refund", "coupon", "promise",
    "guarantee", "waive", "voucher",
];
