package synth

import "strings"

// words of people are made-up mixtures of common names and invented places,
// commonest first, because they are drawn by a Zipf law.
type words struct {
	surnames, given, regions, towns, streets []string
}

var people = map[string]words{
	"en": {
		surnames: strings.Fields("Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker White Roberts Green Hall Wood Jackson Clarke Khan Ali Singh Begum Hughes Edwards Hill Moore Ward Turner Cooper Morris Kelly Cook Rogers Murphy Okafor Mensah Nowak Kowalski Rossi Garcia Nguyen Chowdhury Rahman Adeyemi Campbell Stewart Fraser Byrne Walsh Hussain Shah Parker Bailey Bennett Ellis Foster Marsh"),
		given:    strings.Fields("David Sarah John Susan Paul Karen Mark Emma Andrew Claire James Helen Michael Laura Peter Rachel Daniel Amy Thomas Lucy Mohammed Fatima Anna Aisha Robert Janet Kevin Donna Stephen Lisa Adam Grace Joseph Olivia Ryan Chloe Liam Sophie Amir Priya Ravi Mei Olga Piotr Ewa Kwame Ngozi Tunde Carlos Maria Ines Hugo Nadia Yusuf Leila Derek Maureen Alan Brenda Colin"),
		regions:  strings.Split("Greater Marlow;Northmere;West Calder;Easthaven;South Tarn;Kingsfold;Ashdale;Lowther Valley;Penbrook;Castlemoor;Redwick;Harrow Fells;Stanmouth;Glenorrin;Birk Coast;Ivelshire;Dunmarsh;Upper Wyre;Thornsea;Merrow", ";"),
		towns:    strings.Split("Oldbridge;Fenwick Green;Harcombe;Stoke Lacey;Millbeck;Thornley;Wexcombe;Brampton Hill;Carrow;Saltney;Eastleigh Down;Kirkmoor;Northgate;Pellham;Ravenscot;Hollin;Tarring;Upwell;Widdon;Yarrow", ";"),
		streets:  strings.Split("Station Road;Church Lane;Mill Street;Victoria Road;Park Avenue;High Street;Queens Road;Chapel Street;Albert Road;Grange Road;School Lane;The Crescent;Orchard Way;Canal Street;Meadow Close;Highfield Road;King Street;Bridge Street;Manor Road;Elm Grove;Beech Road;Windmill Lane;Priory Street;Quarry Hill;Tannery Row;Foundry Street;Ferry Road;Ropewalk;Larch Drive;Weavers Court", ";"),
	},
	"zh": {
		surnames: strings.Split("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈", ""),
		given:    strings.Split("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建文辉力鹏晓春梅雪飞宇浩欣怡子轩博志国海燕玲婷慧佳俊峰", ""),
		regions:  strings.Split("江州市;临海市;云岭市;宁川市;滨阳市;青原市;华安市;东屏市;南浦市;西河市;北堰市;长泽市;新丰市;玉溪口市;石门市;金沙市;白水市;龙泉市;松江口市;平湖市", ";"),
		towns:    strings.Split("城东区;高新区;江北区;南湖区;西城区;开发区;新城区;滨河区;老城区;桥北区;龙华镇;丰和镇", ";"),
		streets:  strings.Split("人民路;解放路;建设路;中山路;和平路;新华街;文化路;胜利街;光明路;长江路;黄河路;幸福路;朝阳街;工业路;站前路;学院路;花园路;兴业街;东风路;友谊路;滨江路;环城路;翠湖路;桃园街", ";"),
	},
	"pt": {
		surnames: strings.Fields("Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Costa Ribeiro Martins Carvalho Almeida Lopes Soares Fernandes Vieira Barbosa Rocha Dias Nascimento Andrade Moreira Nunes Marques Machado Mendes Freitas Cardoso Ramos Gonçalves Teixeira Araújo Pinto Correia Moura Cavalcanti Batista Campos Farias Peixoto Brito Melo"),
		given:    strings.Fields("Maria José Ana João Antônio Francisco Carlos Paulo Pedro Lucas Luiz Marcos Gabriel Rafael Daniel Marcelo Bruno Eduardo Felipe Rodrigo Juliana Márcia Fernanda Patrícia Aline Sandra Camila Amanda Bruna Jéssica Letícia Júlia Luciana Vanessa Mariana Gabriela Larissa Sebastião Raimundo Cláudia Sônia Tereza Rosângela Vera Adriana"),
		regions:  strings.Split("Vale Verde;Porto Sereno;Serra Alta;Campos do Sul;Rio Manso;Santa Aurora;Nova Esperança;Pedra Branca;Lagoa Funda;Monte Claro;Barra Grande;Ilha Longa;São Tiago do Norte;Ribeirão Doce;Três Pontes;Mata Fria;Água Bela;Boa Ventura;Cruz do Leste;Pontal", ";"),
		towns:    strings.Split("Centro;Jardim América;Vila Nova;Boa Vista;São José;Santa Rita;Cidade Alta;Parque Industrial;Bela Vista;Morada do Sol;Vila Operária;Alto da Serra", ";"),
		streets:  strings.Split("das Flores;Sete de Setembro;XV de Novembro;São João;Tiradentes;Dom Pedro II;da Paz;Santos Dumont;das Acácias;do Comércio;Rui Barbosa;Castro Alves;Bela Cintra;dos Ipês;Marechal Deodoro;São Francisco;da Estação;do Porto;das Palmeiras;Nova;Primeiro de Maio;José Bonifácio;Tamandaré;das Laranjeiras", ";"),
	},
}
