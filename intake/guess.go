package intake

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"bonafide"

	"golang.org/x/text/unicode/norm"
)

// sampled is how many rows decide what a file looks like.
const sampled = 2000

// columnNames are the names that systems give to each field, in English,
// Chinese and Portuguese, the surest first. They are compared without case,
// accents, spaces and punctuation.
var columnNames = map[string]string{
	"id": `id complaintid complaintno complaintnumber complaintref caseid caseno casenumber documentid docid commentid recordid recid ticketid ticketno ticket
		referencenumber reference ref no number 投诉编号 投诉单号 工单编号 工单号 案件编号 编号 单号 留言编号 序号 流水号 protocolo numeroprotocolo numerodoprotocolo numero codigo idreclamacao idreclamação uniqueid`,
	"received": `received datereceived receiveddate receivedat datetime date complaintdate datefiled filed filedat created createdat createddate opened openedat submitted submittedat
		timestamp time 受理时间 受理日期 投诉时间 投诉日期 收到日期 接收时间 登记时间 创建时间 来电时间 提交时间 留言时间 日期 时间 data datadareclamacao dataabertura datadeabertura dataregistro datadoregistro datarecebimento datahora recebidoem criadoem`,
	"text": `text consumercomplaintnarrative narrative complainttext complaintnarrative textcomment complaint comment comments description details content body message letter complaintdescription complaintdetails
		投诉内容 内容 投诉详情 留言详情 投诉描述 详情 正文 描述 投诉事项 诉求内容 事件描述 reclamacao relato descricao textodareclamacao textoreclamacao textoreclamação texto mensagem detalhes conteudo`,
	"title":        `title subject headline summary 标题 主题 留言主题 投诉标题 titulo assunto`,
	"channel":      `channel submittedvia source intakechannel via 渠道 投诉渠道 来源 受理渠道 canal canaldeatendimento canalorigem origem`,
	"lang":         `lang language 语言 idioma lingua`,
	"product":      `product productname loanproduct producttype 产品 产品名称 产品类型 业务类型 produto tipodeproduto nomedoproduto`,
	"account":      `account accountnumber accountno loanaccount loannumber loanno loanid cardnumber contract contractnumber contractno 贷款账号 账号 合同号 合同编号 卡号 借据号 conta contrato numerodocontrato numerocontrato`,
	"external_ref": `externalref externalreference regulatorref regulatorreference 外部编号 监管编号 转办编号 referenciaexterna protocoloexterno`,

	"customer.ref":        `customerref customerid customerno customernumber clientid memberid userid user signer cif 客户号 客户编号 客户id 用户id 用户 留言用户 idcliente codigocliente codigodocliente cliente`,
	"customer.name":       `customername name fullname consumername clientname complainant complainantname customer consumer 客户姓名 姓名 投诉人 投诉人姓名 客户名称 投诉者 nome nomecompleto nomecliente nomedocliente consumidor reclamante`,
	"customer.given":      `givenname firstname forename 名 primeironome`,
	"customer.surname":    `surname lastname familyname 姓 sobrenome`,
	"customer.id_number":  `customeridnumber idnumber nationalid idcard idcardnumber idno ssn socsecid taxid passport 身份证号 身份证号码 身份证 证件号码 证件号 cpf cnpj cpfcnpj documento numerododocumento`,
	"customer.phone":      `customerphone registeredphone phoneonfile customermobile 客户手机 客户手机号 客户电话 注册手机 注册手机号 预留手机 预留手机号 telefonecadastro telefonecadastrado telefonecliente telefonedocliente`,
	"customer.email":      `customeremail registeredemail emailonfile 客户邮箱 注册邮箱 emailcadastro emailcadastrado emailcliente emaildocliente`,
	"customer.address":    `customeraddress registeredaddress homeaddress 客户地址 户籍地址 enderecocadastro enderecocliente enderecodocliente`,
	"customer.region":     `customerregion region state province uf estado place location city cidade 地区 省份 省 城市 所在地 区域 localidade municipio county zip zipcode postcode postalcode`,
	"customer.vulnerable": `customervulnerable vulnerable vulnerability vulnerableflag 弱势 弱势群体 特殊客户 特殊群体 vulneravel vulnerabilidade tags`,

	"representative.type":      `representativetype reptype representationtype 代理类型 代理人类型 代理人身份 代理关系 tiporepresentante tipoderepresentante`,
	"representative.name":      `representativename representative repname agent agentname 代理人 代理人姓名 代办人 受托人 representante nomerepresentante nomedorepresentante procurador`,
	"representative.licence":   `representativelicence representativelicense licence license barnumber 执业证号 律师证号 oab`,
	"representative.confirmed": `representativeconfirmed confirmed authorityconfirmed 授权确认 已核实 confirmado`,

	"demands":         `demands demand desiredresolution resolutionsought requestedresolution 诉求 投诉诉求 客户诉求 要求 demandas demanda pedido pedidos solicitacao`,
	"amount":          `amount amountclaimed claimamount disputedamount 金额 涉及金额 诉求金额 valor valorreclamado montante`,
	"amount.minor":    `amountminor`,
	"amount.currency": `amountcurrency currency 币种 moeda`,

	"documents.kind":     `documentskind documentkind documenttype 材料类型 附件类型 tipodocumento`,
	"documents.path":     `documentspath documentpath attachment attachments attachmentpath 附件 附件路径 anexo anexos`,
	"documents.sha256":   `documentssha256 documentsha256 sha256 attachmentsha256 documenthash 材料哈希 附件哈希 hashdocumento`,
	"documents.verified": `documentsverified documentverified 材料核实`,
	"calls.path":         `callspath callpath recording recordingpath 录音 录音路径 gravacao`,
	"calls.started":      `callsstarted callstarted 通话时间`,
	"calls.transcript":   `callstranscript calltranscript transcript 通话文本 transcricao`,
}

// contactNames are the names of columns of contacts. A number may follow, as in
// phone2.
var contactNames = map[bonafide.IdentifierKind]string{
	bonafide.Phone: `contactsphone contactphone phone phonenumber phoneno telephone tel mobile mobilephone mobileno mobilenumber cell cellphone contactnumber contactno caller callerid callernumber
		联系电话 电话 手机 手机号 手机号码 联系方式 来电号码 电话号码 联系手机 telefone celular fone telefonecontato telefonedecontato contato whatsappnumber`,
	bonafide.Email:   `contactsemail contactemail email emailaddress mail senderemail 邮箱 电子邮箱 电子邮件 邮件 联系邮箱 emailcontato emaildecontato correioeletronico`,
	bonafide.Handle:  `contactshandle contacthandle handle wechat wechatid weixin qq qqnumber telegram telegramid whatsapp line chathandle chatid socialhandle 微信 微信号 qq号 聊天账号 社交账号`,
	bonafide.Device:  `contactsdevice contactdevice device deviceid deviceno imei androidid idfa devicefingerprint 设备号 设备id 设备 设备编号 设备指纹 dispositivo iddispositivo`,
	bonafide.IP:      `contactsip contactip ip ipaddress ipaddr clientip loginip ip地址 登录ip enderecoip`,
	bonafide.Address: `contactsaddress contactaddress address mailingaddress postaladdress streetaddress correspondenceaddress 地址 联系地址 通讯地址 通信地址 住址 家庭住址 endereco enderecocompleto logradouro enderecodecorrespondencia`,
	bonafide.Account: `contactsaccount contactaccount refundaccount payoutaccount bankaccount refundcard refundto iban 退款账户 退款账号 收款账户 收款账号 退费账户 退费账号 退款卡号 银行账号 contareembolso contaparareembolso contadereembolso contabancaria chavepix pix`,
	bonafide.Sender:  `contactssender contactsender sender sendername from postedby returnaddress 寄件人 发件人 寄信人 remetente`,
}

type fieldRank struct {
	path    string // a contract path, or "" for a contact
	contact bonafide.IdentifierKind
	rank    int // the lower the surer
}

var byName = func() map[string]fieldRank {
	m := map[string]fieldRank{}
	for _, path := range paths {
		key := plainName(path)
		if _, ok := m[key]; !ok {
			m[key] = fieldRank{path: path, rank: -1}
		}
	}
	for _, path := range paths {
		for i, n := range strings.Fields(columnNames[path]) {
			if _, ok := m[plainName(n)]; !ok {
				m[plainName(n)] = fieldRank{path: path, rank: i}
			}
		}
	}
	for _, kind := range bonafide.IdentifierKinds {
		for i, n := range strings.Fields(contactNames[kind]) {
			if _, ok := m[plainName(n)]; !ok {
				m[plainName(n)] = fieldRank{contact: kind, rank: i}
			}
		}
	}
	return m
}()

// plainName reduces a column name to its letters and digits without accents.
func plainName(s string) string {
	if len(s) > 256 {
		return ""
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Guess maps the columns of a file by their names and, where no name says which
// column is the text, by what the sample rows hold. The notes say what was left
// out and what could not be told. The mapping is nil where no column can be the
// text.
func Guess(header []string, sample [][]string) (*Mapping, []string) {
	m := &Mapping{Fields: map[string]string{}, Fixed: map[string]string{}}
	best := map[string]int{} // path → rank of the column that has it
	used := make([]bool, len(header))
	at := map[string]int{}
	for i, h := range header {
		key := plainName(h)
		f, ok := byName[key]
		if !ok {
			f, ok = byName[strings.TrimRight(key, "0123456789")]
			ok = ok && f.contact != ""
		}
		if !ok {
			continue
		}
		if f.contact != "" {
			m.Contacts = append(m.Contacts, ContactColumn{Kind: f.contact, Column: h})
			used[i] = true
			continue
		}
		if r, ok := best[f.path]; !ok || f.rank < r {
			if ok {
				used[at[f.path]] = false
			}
			best[f.path], at[f.path], used[i] = f.rank, i, true
			m.Fields[f.path] = h
		}
	}
	// A column of sheer length names, and an id beside the true one, are common.
	var notes []string
	if _, ok := m.Fields["text"]; !ok {
		if i := longest(used, sample); i >= 0 {
			m.Fields["text"] = header[i]
			used[i] = true
			notes = append(notes, fmt.Sprintf("no column is named as the text; %s is taken, because it holds the longest cells", safeName(header[i], i+1)))
		}
	}
	if m.Fields["text"] == "" && m.Fields["title"] == "" {
		return nil, notes
	}
	if _, ok := m.Fields["id"]; !ok {
		notes = append(notes, "no column is named as the complaint's id; rows get the file's name and their line as id")
	}
	if i, ok := at["received"]; ok {
		order, note := guessOrder(columnOf(sample, i), header)
		m.DateOrder = order
		if note != "" {
			notes = append(notes, fmt.Sprintf("dates in %s: %s", safeName(header[i], i+1), note))
		}
	}
	var left []string
	for i, u := range used {
		if !u {
			left = append(left, safeName(header[i], i+1))
		}
	}
	if len(left) > 0 {
		more := ""
		if len(left) > 20 {
			more = fmt.Sprintf(" and %d more", len(left)-20)
			left = left[:20]
		}
		notes = append(notes, "columns not used: "+strings.Join(left, ", ")+more)
	}
	return m, notes
}

func columnOf(sample [][]string, i int) []string {
	var out []string
	for _, row := range sample {
		if i < len(row) && row[i] != "" {
			out = append(out, row[i])
		}
	}
	return out
}

// guessOrder decides the order of a date's parts, by the language of the header
// where the dates do not tell.
func guessOrder(dates, header []string) (order, note string) {
	order, sure, mixed := dateOrder(dates)
	if mixed {
		return order, fmt.Sprintf("both day/month and month/day occur; read as %s; set date_order in a mapping if that is wrong", order)
	}
	if sure || len(dates) == 0 {
		return order, ""
	}
	if order == "" {
		order = headerOrder(header)
		return order, fmt.Sprintf("nothing tells day from month; read as %s by the header's language; set date_order in a mapping if that is wrong", order)
	}
	return order, ""
}

// headerOrder is the order that the header's language writes dates in: month
// first in English, as in the United States; day first in Portuguese.
func headerOrder(header []string) string {
	portuguese := 0
	for _, h := range header {
		switch plainName(h) {
		case "protocolo", "data", "reclamacao", "relato", "descricao", "nome", "telefone", "endereco", "cidade", "uf", "canal", "produto", "cpf", "titulo", "estado", "celular", "numero", "assunto":
			portuguese++
		}
		for _, r := range h {
			if unicode.Is(unicode.Han, r) {
				return yearFirst
			}
		}
	}
	if portuguese > 0 {
		return dayFirst
	}
	return monthFirst
}

// longest returns the unused column with the longest cells, if they are as long
// as sentences.
func longest(used []bool, sample [][]string) int {
	at, most := -1, 40
	for i := range used {
		if used[i] {
			continue
		}
		n, cells := 0, 0
		for _, row := range sample {
			if i < len(row) && row[i] != "" {
				n += utf8.RuneCountInString(row[i])
				cells++
			}
		}
		if cells > 0 && n/cells > most {
			at, most = i, n/cells
		}
	}
	return at
}

// GuessFile guesses the mapping of a file by its header and first rows. The
// notes say what was left out and what could not be told.
func GuessFile(name string, src io.Reader) (*Mapping, []string, error) {
	s, err := open(name, src, Limits{}.withDefaults(), nil)
	if err != nil {
		return nil, nil, err
	}
	rows, err := newTable(name, s, nil, Limits{}.withDefaults())
	if err != nil {
		return nil, nil, err
	}
	sample := rows.preview(sampled)
	if rows.broken != nil {
		if _, ok := errors.AsType[*bonafide.Error](rows.broken); ok {
			return nil, nil, rows.broken
		}
		return nil, nil, fmt.Errorf("%s: read: %w", name, rows.broken)
	}
	m, notes := Guess(rows.header, sample)
	if m == nil {
		return nil, nil, noText(name, len(rows.header))
	}
	if rows.sheet != nil {
		m.Delimiter = string(rows.sheet.comma)
	}
	return m, append(s.warnings, notes...), nil
}

func noText(name string, columns int) error {
	return refused(name, "none of its %d columns looks like the text of a complaint: name it \"text\", or say which it is with --mapping FILE.toml, of two lines: [fields] and text = \"the column\"", columns)
}
